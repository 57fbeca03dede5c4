"""dnslistd, which publishes lists of one's own in the DNS."""
