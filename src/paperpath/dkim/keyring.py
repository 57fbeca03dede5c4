"""Which keys sign for whom: found by the domain of the author (requirement I-6).

Made by whoever read the keys; knows no file, and not what is in a key.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


class SigningKey(Protocol):
    """A private key, for one algorithm."""

    @property
    def algorithm(self) -> str:
        """What stands in the tag a=."""

    def sign(self, digest: bytes) -> bytes:
        """Sign a SHA-256 digest."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A key, and the name in the DNS where its other half stands. `domain` is in A-labels and lower case."""

    domain: str
    selector: str
    key: SigningKey
    has_subdomains: bool = False
    """Whether it signs for names below the domain that have no signers of their own."""


class Keyring:
    """All signers of one configuration."""

    def __init__(self, signers: Iterable[Signer] = ()) -> None:
        """Sort them by domain; those of one domain stay in their order, and all of them sign."""
        self._by_domain: dict[str, tuple[Signer, ...]] = {}
        for signer in signers:
            self._by_domain[signer.domain] = (*self._by_domain.get(signer.domain, ()), signer)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is ever signed."""
        return not self._by_domain

    def find(self, domain: str) -> tuple[Signer, ...]:
        """Return who signs what an author of this domain wrote; nobody, for most domains.

        `domain` is in A-labels and lower case.
        """
        if domain in self._by_domain:
            return self._by_domain[domain]
        _, _, parent = domain.partition(".")
        while parent:
            if found := tuple(one for one in self._by_domain.get(parent, ()) if one.has_subdomains):
                return found
            _, _, parent = parent.partition(".")
        return ()
