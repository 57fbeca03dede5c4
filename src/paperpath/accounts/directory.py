"""Entries by address: found as it is spelt first, then in any case (requirement E-5).

What the accounts and the secrets have in common.
"""

from collections.abc import Iterator, Mapping
from typing import Generic, Protocol, TypeVar

from paperpath.mail.address import Mailbox, domain_key
from paperpath.mail.local_part import fold_local, local_key


class Addressed(Protocol):
    """Whatever belongs to one address."""

    @property
    def address(self) -> Mailbox:
        """Whose it is."""


EntryType = TypeVar("EntryType", bound=Addressed)


class Directory(Generic[EntryType]):
    """All entries of one moment."""

    def __init__(self, entries: Mapping[tuple[str, str], EntryType]) -> None:
        """Index them; the keys are made by `address_key`."""
        self._exact = entries
        self._folded = {(fold_local(local), domain): entry for (local, domain), entry in entries.items()}

    def __iter__(self) -> Iterator[EntryType]:
        return iter(self._exact.values())

    def find(self, address: Mailbox) -> EntryType | None:
        """Return whose an address is: spelt exactly so, else in any case."""
        local, domain = address_key(address)
        return self._exact.get((local, domain)) or self._folded.get((fold_local(local), domain))

    def find_exact(self, address: Mailbox) -> EntryType | None:
        """Return the entry that is spelt exactly so; `joe` and `Joe` may be two."""
        return self._exact.get(address_key(address))


def address_key(address: Mailbox) -> tuple[str, str]:
    """Return what tells addresses apart."""
    return local_key(address.local), domain_key(address.domain)
