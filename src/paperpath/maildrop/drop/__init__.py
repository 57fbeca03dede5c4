"""The drop directory: where people of this host leave mail, for only the service user opens the maildrop."""
