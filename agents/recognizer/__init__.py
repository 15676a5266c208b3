"""The recognizer: says who is in a frame."""
