"""DKIM, pure: canonical forms, tag lists, signatures made (RFC 6376, 8301, 8463).

Octets and keys in, octets out: no file, clock, socket or configuration. Above `mail`, beside `smtp`.
"""
