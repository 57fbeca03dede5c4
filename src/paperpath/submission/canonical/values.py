"""What the canonical form is made by, and what comes of it.

`CanonicalRules` are made of the table [canonical] by whoever read it, once; `Submitted` of each submission.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from paperpath.config.domain import DomainPattern
from paperpath.mail.address import Mailbox
from paperpath.submission.canonical.encoder import BodyEncoder


@dataclass(frozen=True, slots=True)
class Masquerade:
    """Under which names the addresses of this site go out (requirement B-20).

    A domain that `hidden` means becomes `name`. Then who is in `users`, by the local part at `name` as
    `fold_local` folds it, gets the address that stands there. Where `name` is empty there is no masquerade.
    All is in ASCII, and an address that comes of it must not be masqueraded into another.
    """

    hidden: tuple[DomainPattern, ...] = ()
    name: str = ""
    users: Mapping[str, Mailbox] = field(default_factory=dict)

    @property
    def does_anything(self) -> bool:
        """Whether any address could be changed."""
        return bool(self.name and (self.hidden or self.users))


NO_MASQUERADE = Masquerade()


@dataclass(frozen=True, slots=True)
class CanonicalRules:
    """How this site completes what people hand in.

    `hostname` makes message ids. `domain` is given to addresses without one: in the envelope to all, in the
    header to those whose local part `is_known` here, and where `is_strict` is not set to the others as well
    (B-9, B-19). `parent` completes names of one label (`joe@sales`); where it is empty they are refused.
    `encode_8bit`: content goes out in 7-bit octets, as far as that can be (X-5).
    """

    hostname: str
    domain: str
    is_known: Callable[[str], bool]
    parent: str = ""
    is_strict: bool = True
    masquerade: Masquerade = NO_MASQUERADE
    encode_8bit: bool = False


@dataclass(frozen=True, slots=True)
class Submitted:
    """The facts of one submission.

    `sender` is the envelope's, already complete. `now` knows its offset from UTC; `token` is an atom, used
    once. `identity`: who is known to submit it, if anybody is; `full_name` goes with it. `international`:
    SMTPUTF8 is in force, so the header may be in UTF-8 (RFC 6532).
    """

    sender: Mailbox | None
    now: datetime
    token: str
    identity: Mailbox | None = None
    full_name: str = ""
    international: bool = False


BODY = "body"
"""What a `Change` names where it is not a field."""


class What(StrEnum):
    """All that can happen to a field, in the words of the log, the journal and `paperpath why`."""

    ADDED = "added"
    REMOVED = "removed"
    EMPTY_REMOVED = "removed, for it was empty"
    REPLACED = "replaced, for it could not be read"
    MERGED = "merged into the first of that name"
    REWRITTEN = "rewritten from an obsolete form"
    COMPLETED = "given full domains"
    MASQUERADED = "masqueraded"
    ENCODED = "encoded"
    FOLDED = "folded anew"
    RELABELLED = "made to say how the body is encoded now"
    KEPT = "left as it is, for it is signed"
    SIGNATURE_BROKEN = "changed although it is signed"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was done: to which field, as its name was written, or to the body."""

    field: str
    what: What

    def __str__(self) -> str:
        return f"{self.field} {self.what.value}"


@dataclass(frozen=True, slots=True)
class Canonical:
    """A header in canonical form; the same object that came in, where nothing was changed.

    `encoder`: what the body must pass through, if anything. `is_eight_bit`: octets above 7F are left in the
    header or body, so the message needs 8BITMIME.
    """

    header: bytes
    changes: tuple[Change, ...]
    encoder: BodyEncoder | None
    is_eight_bit: bool
