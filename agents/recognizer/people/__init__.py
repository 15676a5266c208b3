"""The enrolled people: where they are kept, how they get in, and what their photos tell."""
