"""smtprd, the relay: other systems' mail, never touched but for one Received field."""
