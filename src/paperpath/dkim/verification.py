"""The signatures of one message, verified (RFC 6376 §6.1, RFC 8301 §3).

Driven by local delivery, which has the octets and asks the DNS. In this order: made with the header; `add`
for each piece of the body, where it `wants_body`; then `key_names` are asked for, and `conclude` tells what
came of each signature. Each is judged by itself. Nothing that a message or the DNS says raises anything.

What is signed only up to l= does not pass where there is more: anybody can have put it there.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from paperpath.dkim.body import CanonicalBody, make_body
from paperpath.dkim.findings import FlawError, Verdict
from paperpath.dkim.form import Form
from paperpath.dkim.header import canonicalize_field, choose_fields, read_name, split_fields
from paperpath.dkim.public_key import KeyRecord, parse_key_record, verify
from paperpath.dkim.signature_field import (
    FIELD_NAME,
    Properties,
    Signature,
    make_signature,
    read_field,
    show,
    without_own_value,
)
from paperpath.mail.authentication_results import Result
from paperpath.mail.value import value

MOST_SIGNATURES = 10
_MOST_RECORDS = 3  # that one name may have, and the first that is a key counts

Keys = Mapping[str, Sequence[bytes] | None]
"""By name what the DNS has there, nothing included; no name, or `None`, where nobody can tell now."""


class _Hash(Protocol):
    def update(self, octets: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


@value
class _Candidate:
    """A field, by its place among all, and what it is: a signature that may pass, or why it does not."""

    place: int
    properties: Properties
    found: Signature | FlawError


class Verification:
    """Of one message."""

    def __init__(self, header: bytes, arrived_s: int) -> None:
        """Look at a header section, whose last line ends with CRLF; `arrived_s`: when the message came."""
        self._fields = split_fields(header) if FIELD_NAME in header.lower() else []
        self._places: dict[bytes, list[int]] = {}
        for place, field in enumerate(self._fields):
            self._places.setdefault(read_name(field), []).append(place)
        places = self._places.get(FIELD_NAME, [])
        self.unseen = max(0, len(places) - MOST_SIGNATURES)
        """How many signatures are not looked at: those that are lowest."""
        self._candidates = [self._look_at(place, arrived_s) for place in places[:MOST_SIGNATURES]]
        forms = {signature.body_form for signature in self._signatures}
        self._bodies = {form: _HashedBody(form) for form in forms}

    @property
    def wants_body(self) -> bool:
        """Whether the body decides anything."""
        return bool(self._bodies)

    @property
    def key_names(self) -> frozenset[str]:
        """The names of the key records that are to be asked for."""
        return frozenset(signature.key_name for signature in self._signatures)

    def add(self, octets: bytes) -> None:
        """Take a piece of the body."""
        for body in self._bodies.values():
            body.add(octets)

    def conclude(self, keys: Keys) -> list[Result]:
        """Judge each signature, when all of the body was given; this is called once."""
        for body in self._bodies.values():
            body.finish()
        results = [self._judge(candidate, keys) for candidate in self._candidates]
        return results or [Result("dkim", Verdict.NONE)]

    @property
    def _signatures(self) -> list[Signature]:
        found = (candidate.found for candidate in self._candidates)
        return [signature for signature in found if isinstance(signature, Signature)]

    def _look_at(self, place: int, arrived_s: int) -> _Candidate:
        properties: Properties = ()
        try:
            tags = read_field(self._fields[place])
            properties = show(tags)
            return _Candidate(place, properties, make_signature(tags, arrived_s))
        except FlawError as flaw:
            return _Candidate(place, properties, flaw)

    def _judge(self, candidate: _Candidate, keys: Keys) -> Result:
        try:
            if isinstance(candidate.found, FlawError):
                raise candidate.found
            remark = self._verify(candidate.place, candidate.found, keys)
            return Result("dkim", Verdict.PASS, remark, candidate.properties)
        except FlawError as flaw:
            return Result("dkim", flaw.verdict, str(flaw), candidate.properties)

    def _verify(self, place: int, signature: Signature, keys: Keys) -> str:
        """Verify one; return what is to be said of it beside that it passes. Raises: FlawError."""
        self._compare_body(signature)
        key = _find_key(keys.get(signature.key_name))
        if key.kind != signature.kind:
            raise FlawError(Verdict.PERMERROR, "the key is of another kind")
        if key.is_strict and signature.identity != signature.domain:
            raise FlawError(Verdict.PERMERROR, "i= is of another domain, and the key forbids that")
        verify(key, self._signed_octets(place, signature), signature.octets)
        if len(self._places.get(b"from", ())) != 1:  # RFC 6376 §8.15
            raise FlawError(Verdict.POLICY, "the message has not just one From")
        return "the key is for tests" if key.is_test else ""

    def _compare_body(self, signature: Signature) -> None:
        body = self._bodies[signature.body_form]
        signed = body.octets if signature.body_octets is None else signature.body_octets
        if signed < body.octets:
            raise FlawError(Verdict.POLICY, "not all of the body is signed")
        if signed > body.octets or body.digest != signature.body_hash:
            raise FlawError(Verdict.FAIL, "the body is not what was signed")

    def _signed_octets(self, place: int, signature: Signature) -> bytes:
        eligible = self._list_lowest(Counter(signature.names), place)
        chosen = choose_fields(eligible, signature.names)
        own = canonicalize_field(without_own_value(self._fields[place]), signature.header_form)
        signed = [canonicalize_field(field, signature.header_form) for field in chosen]
        return b"".join(signed) + own.removesuffix(b"\r\n")

    def _list_lowest(self, counts: Mapping[bytes, int], own: int) -> list[bytes]:
        """Return of each name so many fields as it is signed, so that a header of very many costs little."""
        listed: list[bytes] = []
        for name, count in counts.items():
            others = [place for place in self._places.get(name, ())[-count - 1 :] if place != own]
            listed += [self._fields[place] for place in others[-count:]]
        return listed


class _HashedBody:
    """A body in one form, of which the digest and the length are kept."""

    def __init__(self, form: Form) -> None:
        self._hash: _Hash = hashlib.sha256()
        self._body: CanonicalBody = make_body(form, self._write)
        self.octets = 0

    def add(self, octets: bytes) -> None:
        self._body.add(octets)

    def finish(self) -> None:
        self._body.finish()
        self.digest = self._hash.digest()

    def _write(self, octets: bytes) -> None:
        self._hash.update(octets)
        self.octets += len(octets)


def _find_key(records: Sequence[bytes] | None) -> KeyRecord:
    """Return the key among the records of a name. Raises: FlawError.

    Of several the first in their own order counts that is one, for the DNS has them in any order.
    """
    if records is None:
        raise FlawError(Verdict.TEMPERROR, "the key cannot be had now")
    flaw = FlawError(Verdict.PERMERROR, "there is no key")
    for record in sorted(records)[:_MOST_RECORDS]:
        try:
            return parse_key_record(record)
        except FlawError as found:
            flaw = found
    raise flaw
