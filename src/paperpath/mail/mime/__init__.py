"""What a message consists of (RFC 2045, 2046): its parts, their fields, their texts decoded.

For whoever shows messages to mail programs. Everything is pure and takes any octets: what cannot be
understood is text, or opaque, and never an error. Time is linear in the octets, memory bounded.
"""
