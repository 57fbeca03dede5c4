"""smtpsd, the submission daemon: people's mail, taken from who may send it and put into canonical form."""
