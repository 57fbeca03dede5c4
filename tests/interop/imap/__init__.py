"""Mail programs of other projects that read and change mailboxes by IMAP."""
