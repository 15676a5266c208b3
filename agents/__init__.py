"""Facelatch: a door lock that recognises faces, made of agents that talk over MQTT."""

__version__ = "0.1.0"
