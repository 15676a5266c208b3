"""Long runs that are too long for every day: each a command that prints a table."""
