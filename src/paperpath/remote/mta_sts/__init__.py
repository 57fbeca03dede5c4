"""MTA-STS: which hosts a domain says take its mail, and that they are to be verified (RFC 8461)."""
