"""What happened to each message, for `paperpath why`."""
