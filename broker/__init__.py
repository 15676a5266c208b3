"""The broker: mosquitto, and what it is set up with."""
