"""Lists of addresses as From, To and their like hold them (RFC 5322 §3.4, §4.4; RFC 6532 §3.2).

Called by the canonical form. Obsolete syntax is understood; what two readers could understand in two ways is
refused. A domain or local part is legal if it is in an envelope (mail.address), but that names may lack a
domain, and domains may end with a dot.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from paperpath.mail.address import Mailbox


@dataclass(frozen=True, slots=True)
class Named:
    """One mailbox of a list; its `domain` is empty where none stands, and keeps a dot at its end.

    `name` is the display name as it is to be written: atoms, quoted strings and encoded words with single
    blanks between them; empty for none. `comments` are as they stood, without their outer parentheses.
    `is_bracketed`: angle brackets stood around it, as they must where it has a name.
    """

    mailbox: Mailbox
    name: str = ""
    comments: tuple[str, ...] = ()
    is_bracketed: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Mailboxes under one name, perhaps none; `name` and `comments` as in `Named`."""

    name: str
    members: tuple[Named, ...] = ()
    comments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AddressList:
    """What a list holds, in its order, and whether it is written canonically.

    `is_canonical`: nothing in it is obsolete or quoted needlessly, so it may stay as it is, octet for octet;
    whether its domains are complete is for others to judge, and so is what is beyond ASCII.
    """

    addresses: tuple[Named | Group, ...]
    is_canonical: bool

    @property
    def mailboxes(self) -> Iterator[Named]:
        """All mailboxes, those in groups too."""
        for address in self.addresses:
            if isinstance(address, Group):
                yield from address.members
            else:
                yield address


def parse_addresses(text: str) -> AddressList:
    """Read the value of an address field, folded or not; it must hold one address at least.

    Raises: FieldError.
    """
    return AddressList((Named(Mailbox(text.strip(), "")),), is_canonical=False)
