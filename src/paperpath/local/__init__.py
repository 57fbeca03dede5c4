"""smtpld, local delivery: into the mail folders of this machine."""
