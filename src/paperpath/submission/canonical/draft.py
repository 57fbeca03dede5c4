"""A header on its way into canonical form: its fields, those that count, and what was done to them.

Made by form.py and given to each step. In a message that was sent again (RFC 5322 §3.6.6) the steps look at
the topmost block of Resent fields as they otherwise look at the fields of the same names without `Resent-`.
"""

import re
from collections.abc import Sequence

from paperpath.submission.canonical.section import Field, join_section, make_field
from paperpath.submission.canonical.values import BODY, CanonicalRules, Change, Submitted, What

RESENT = b"resent-"
_SIGNATURE = b"dkim-signature"
_SIGNED_NAMES = re.compile(rb"(?:\A|;)[ \t\r\n]*h[ \t\r\n]*=([^;]*)")


class Draft:
    """What the steps change."""

    def __init__(self, fields: list[Field], submitted: Submitted, rules: CanonicalRules) -> None:
        """Begin with the fields as they came."""
        self.fields = fields
        self.submitted = submitted
        self.rules = rules
        self._changes: dict[Change, None] = {}
        self._is_changed = False
        self._signed: frozenset[bytes] = frozenset()
        self.is_resent = False
        self._begin = 0  # of the block
        self._block: dict[bytes, Field] = {}
        self.firsts: dict[bytes, Field] = {}
        self.repeated: dict[bytes, list[Field]] = {}
        for field in fields:
            first = self.firsts.setdefault(field.key, field)
            if first is not field:
                self.repeated.setdefault(field.key, [first]).append(field)
        if _SIGNATURE in self.firsts:
            self._signed = _find_signed(fields)

    @property
    def changes(self) -> tuple[Change, ...]:
        """What was done, each thing once."""
        return tuple(self._changes)

    @property
    def is_signed(self) -> bool:
        """Whether there is a signature, which covers the body."""
        return _SIGNATURE in self.firsts

    def join(self, header: bytes) -> bytes:
        """Return the header as it is now; `header` itself, if that is it."""
        return join_section(self.fields) if self._is_changed else header

    def look_at_block(self, begin: int, block: Sequence[Field]) -> None:
        """Let the fields of a message sent again count, and new ones stand before `begin`."""
        self.is_resent = True
        self._begin = begin
        self._block = {field.key.removeprefix(RESENT): field for field in block}

    def find(self, key: bytes) -> Field | None:
        """Return the field that counts under a name without `Resent-`."""
        return (self._block if self.is_resent else self.firsts).get(key)

    def note(self, name: str, what: What) -> None:
        """Note what was done."""
        self._changes[Change(name, what)] = None

    def note_body_encoded(self) -> None:
        """Note that the body is not what it was."""
        self.note(BODY, What.ENCODED)
        if self.is_signed:
            self.note(BODY, What.SIGNATURE_BROKEN)

    def append(self, octets: bytes) -> Field:
        """Add a field at the end."""
        field = make_field(octets)
        self.fields.append(field)
        self.firsts[field.key] = field
        self._note_done(field, What.ADDED)
        return field

    def add(self, octets: bytes) -> Field:
        """Add a field; to a message sent again its counterpart, before the block."""
        if not self.is_resent:
            return self.append(octets)
        field = make_field(b"Resent-" + octets)
        self.fields.insert(self._begin, field)
        self._begin += 1
        self._block[field.key.removeprefix(RESENT)] = field
        self._note_done(field, What.ADDED)
        return field

    def remove(self, field: Field, what: What = What.REMOVED) -> None:
        """Remove a field; nobody finds it any more."""
        field.octets = b""
        if self.firsts.get(field.key) is field:
            del self.firsts[field.key]
        self._note_done(field, what)

    def rewrite(self, field: Field, octets: bytes, *what: What, is_needed: bool = True) -> None:
        """Write a field anew; if a signature covers it, only where that `is_needed` (B-27)."""
        if self.is_covered(field) and not is_needed:
            self.note(field.shown, What.KEPT)
            return
        made = make_field(octets)
        field.octets, field.name, field.value = made.octets, made.name, made.value
        self._note_done(field, *what)

    def is_covered(self, field: Field) -> bool:
        """Tell whether a signature covers a field, or its absence."""
        return field.key in self._signed

    def _note_done(self, field: Field, *done: What) -> None:
        self._is_changed = True
        for what in done:
            self.note(field.shown, what)
        if self.is_covered(field):
            self.note(field.shown, What.SIGNATURE_BROKEN)


def _find_signed(fields: Sequence[Field]) -> frozenset[bytes]:
    """Return the names, in lower case, of the fields that signatures cover (RFC 6376 §3.5)."""
    return frozenset(
        name.strip(b" \t\r\n").lower()
        for field in fields
        if field.key == _SIGNATURE
        for names in _SIGNED_NAMES.findall(field.value)
        for name in names.split(b":")
    )
