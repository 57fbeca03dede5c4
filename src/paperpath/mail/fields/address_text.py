"""Addresses written down: canonical, with the least quotes, names and comments as they were (RFC 5322 §3.4).

Called by the canonical form. The inverse of addresses.py: what is written here reads the same again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from paperpath.mail.address import format_mailbox
from paperpath.mail.fields.addresses import Group, Named
from paperpath.mail.fields.encoded_words import encode_comment, encode_phrase
from paperpath.mail.fields.folding import fold_pieces


def format_addresses(addresses: Iterable[Named | Group]) -> str:
    """Write a list in one line."""
    return ", ".join(map(format_address, addresses))


def format_address(address: Named | Group) -> str:
    """Write one address."""
    if isinstance(address, Group):
        members = f" {format_addresses(address.members)}" if address.members else ""
        return _add_comments(f"{address.name}:{members};", address.comments)
    mailbox = format_mailbox(address.mailbox)
    if address.is_bracketed or address.name:
        mailbox = f"<{mailbox}>"
    written = f"{address.name} {mailbox}" if address.name else mailbox
    return _add_comments(written, address.comments)


def fold_addresses(name: bytes, addresses: Iterable[Named | Group]) -> bytes:
    """Write a whole field, its lines ended, and folded between addresses as far as these are short enough.

    Raises: FieldError, as `fold_field` does.
    """
    return fold_pieces(name, _separate(map(format_address, addresses)))


def encode_names(address: Named | Group) -> Named | Group:
    """Return an address whose names and comments are ASCII, by encoded words; mailboxes stay as they are."""
    return _encode_member(address) if isinstance(address, Named) else _encode_group(address)


def _encode_group(group: Group) -> Group:
    members = tuple(map(_encode_member, group.members))
    return Group(encode_phrase(group.name), members, tuple(map(encode_comment, group.comments)))


def _encode_member(named: Named) -> Named:
    comments = tuple(map(encode_comment, named.comments))
    return replace(named, name=encode_phrase(named.name), comments=comments)


def _add_comments(written: str, comments: Iterable[str]) -> str:
    return " ".join((written, *(f"({comment})" for comment in comments)))


def _separate(written: Iterable[str]) -> Iterator[str]:
    """Give each address with what stands before and behind it in a list."""
    *others, last = written
    yield from (f" {address}," for address in others)
    yield f" {last}"
