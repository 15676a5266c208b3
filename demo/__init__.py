"""The whole house on one machine, with visitors made from real photographs."""
