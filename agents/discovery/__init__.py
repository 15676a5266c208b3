"""What Home Assistant is told of the house, by MQTT discovery. Pure: no I/O."""
