"""The IMAP server. Its language is sans-IO: octets in, events out; see server.py."""
