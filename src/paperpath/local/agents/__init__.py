"""The agents: the ways in which local delivery hands a message on. Each is for one place."""
