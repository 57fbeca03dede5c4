"""SMTP input: one client session at a time, whatever service it gets."""
