"""The mail store that the IMAP server works with: the folders of one account, an index beside each."""
