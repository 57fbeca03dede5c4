"""The aliases of one moment, and which of them a name means: pure.

Made by the parser, asked by the router. An alias for a name at one domain goes before one for the name at any
local domain, and of each the one that is spelt exactly so before one in another case (requirement E-5).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from paperpath.mail.address import Mailbox, format_mailbox
from paperpath.mail.domain import domain_key
from paperpath.mail.local_part import fold_local, local_key
from paperpath.routing.own_targets import is_own_target
from paperpath.service.watched_file import Sight

OWNER_PREFIX = "owner-"

_NO_FILES: Mapping[str, Sight | None] = {}


@dataclass(frozen=True, slots=True)
class Alias:
    """One entry. `local` is empty where all names of the domain are meant that nobody has.

    `domain` is empty where any local domain is meant. A target without a domain is at that of the recipient,
    or a place of this host, or an agent. `includes` are the files of lists that are among the targets;
    `trouble` says why one of them cannot be used, which nobody is to lose mail for.
    """

    local: str
    domain: str
    targets: tuple[Mailbox, ...]
    line: int = 0
    includes: tuple[PurePosixPath, ...] = ()
    trouble: str = ""

    @property
    def key(self) -> str:
        """What a recipient remembers that went through this alias; another entry for the same is no other."""
        name = format_mailbox(Mailbox(local_key(self.local), "")) if self.local else ""
        return f"{name}@{self.domain}" if self.domain else name


class Aliases:
    """All aliases."""

    def __init__(
        self,
        aliases: Iterable[Alias] = (),
        digest: bytes = b"",
        included: Mapping[str, Sight | None] = _NO_FILES,
    ) -> None:
        """Index them; `digest` tells the texts that they come from from others.

        `included` are the files that were read for them beside their own, and what those looked like.
        """
        self.digest = digest
        self.included = included
        self._exact = {(local_key(alias.local), alias.domain): alias for alias in aliases}
        self._with_own_targets = {
            alias.key: alias
            for alias in self._exact.values()
            if alias.trouble or any(map(is_own_target, alias.targets))
        }
        self._folded = {(fold_local(local), domain): alias for (local, domain), alias in self._exact.items()}

    def __iter__(self) -> Iterator[Alias]:
        return iter(self._exact.values())

    def find(self, address: Mailbox) -> Alias | None:
        """Return the alias for a name at a local domain; without a domain, that for any."""
        exact, folded = local_key(address.local), fold_local(address.local)
        for domain in dict.fromkeys((domain_key(address.domain), "")):
            found = self._exact.get((exact, domain)) or self._folded.get((folded, domain))
            if found is not None:
                return found
        return None

    def find_rest(self, domain: str) -> Alias | None:
        """Return the alias for all names of a domain that nobody has."""
        return self._exact.get(("", domain_key(domain))) if domain else None

    @property
    def with_own_targets(self) -> Sequence[Alias]:
        """The aliases that stand for a program, a file, a folder or an agent, among others."""
        found = self._with_own_targets.values()
        return tuple(alias for alias in found if any(map(is_own_target, alias.targets)))

    def find_with_own_targets(self, key: str) -> Alias | None:
        """Return the alias with a key, if it stands for such, or may: a list of it cannot be used."""
        return self._with_own_targets.get(key)

    def find_owner(self, alias: Alias, domain: str) -> Mailbox | None:
        """Return who answers for a list, at the recipient's domain; `None` for an alias that is no list."""
        if not alias.local or alias.local.lower().startswith(OWNER_PREFIX):
            return None
        owner = Mailbox(OWNER_PREFIX + alias.local, alias.domain or domain)
        return None if self.find(owner) is None else owner
