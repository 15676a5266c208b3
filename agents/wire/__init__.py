"""The contract between the agents: every topic and every payload. Does no I/O."""
