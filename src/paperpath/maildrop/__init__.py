"""The queue between the ways in and the ways out: one interface, several engines. See interface.py."""
