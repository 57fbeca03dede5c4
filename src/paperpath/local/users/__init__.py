"""Delivery to users of this host: what is said between smtpld and the helper, and what the helper's child does."""
