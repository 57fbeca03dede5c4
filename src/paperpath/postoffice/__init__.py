"""smtppd, the post office: sorts each recipient to local or remote, by the envelope alone."""
