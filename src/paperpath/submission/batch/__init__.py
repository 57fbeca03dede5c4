"""Batch SMTP: what a client would say, read from a file (RFC 2442, requirements J-22 to J-27)."""
