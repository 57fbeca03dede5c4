"""A source of mail and a sink for it, to measure a mail system by, which take little of its machine."""
