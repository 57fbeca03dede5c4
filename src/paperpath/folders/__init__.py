"""Mail folders on disk: written by local delivery, read by the IMAP server."""
