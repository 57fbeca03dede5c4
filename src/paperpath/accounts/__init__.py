"""Who has a mailbox, and where it is."""
