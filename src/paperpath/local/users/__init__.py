"""Delivery to users of this host: what smtpld and its helper say to each other, and what a child does."""
