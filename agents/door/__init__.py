"""The door: obeys grants and commands, and pulses the relay."""
