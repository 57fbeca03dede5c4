"""Asking the resolver: answers, their cache, and which hosts take mail for a domain."""
