"""How any agent runs: MQTT session, inbox, clock, config file, log. Knows no agent."""
