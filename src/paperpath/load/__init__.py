"""The load: a source of mail and a sink for it, which measure a mail system and take little of its machine."""
