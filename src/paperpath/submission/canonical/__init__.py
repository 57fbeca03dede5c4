"""Canonical form: what a message that somebody submits needs before it may go out (RFC 6409 §8, RFC 5322).

For smtpsd, mailto and sendmail. All of it is pure, and quick to import, so nothing here knows the tables of
the configuration. `form.canonicalize` is the whole for a header; docs/canonical.md has its steps.
"""
