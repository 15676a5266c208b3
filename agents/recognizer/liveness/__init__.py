"""Whether a face is a live one: independent checks over a tracked face, and the rule that combines them. Pure."""
