"""What more than one agent makes of a picture. Pure."""
