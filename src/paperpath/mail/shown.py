"""Domains and paths as a log shows them: with both spellings of a domain that has two (attack S-9).

Called by whoever logs them. Two names that look alike have A-labels that do not, and A-labels alone tell a
reader nothing. A domain in ASCII without A-labels costs one search for their prefix.
"""

from paperpath.mail.address import Mailbox, domain_key, format_path
from paperpath.mail.domain import to_u_labels


def show_domain(domain: str) -> str:
    """Write a domain as it is, its other spelling behind it."""
    return domain + _find_other(domain)


def show_path(mailbox: Mailbox | None) -> str:
    """Write a path as it is, the other spelling of its domain behind it."""
    path = format_path(mailbox)
    return path if mailbox is None else path + _find_other(mailbox.domain)


def _find_other(domain: str) -> str:
    other = to_u_labels(domain) if domain.isascii() else domain_key(domain)
    return "" if other == domain else f" ({other})"
