"""The man pages: made from what the commands say of their options, and from the texts in docs/man."""
