"""The scheduler: decides who may open which door, and when."""
