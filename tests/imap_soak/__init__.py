"""The IMAP soak: many random clients on one mailbox, then one truth. See docs/testing.md."""
