"""Canonical form: what a message that somebody submits needs before it may go out (RFC 6409 §8, RFC 5322).

For smtpsd, mailto and sendmail; pure, and quick to import, which is why nothing here knows the configuration's
tables. `form.canonicalize` is the whole of it for a header; docs/canonical.md says what it does in which order.
"""
