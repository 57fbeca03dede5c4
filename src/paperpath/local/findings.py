"""What was found of a message's authentication, for the agents: a field on top of the copies (RFC 8601)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from paperpath.mail.authentication_results import FIELD_NAME, claims_to_be_of
from paperpath.mail.field_sieve import FieldSieve


@dataclass(frozen=True, slots=True)
class Findings:
    """What is put on top, and in whose name: whatever else bears that name is forged, and goes."""

    authserv_id: str
    field: bytes


FindingsByRecipient = Mapping[int, Findings]
"""By the number of the recipient; of those who are not in it nobody looked at anything."""


def put_on_top(chunks: Iterator[bytes], findings: Findings) -> Iterator[bytes]:
    """Give content with what was found on top, and without fields in our name that came with it (I-21)."""
    sieve = FieldSieve(FIELD_NAME, lambda value: claims_to_be_of(value, findings.authserv_id))
    beginning = sieve.sift(next(chunks, b""))
    yield findings.field + beginning  # in one write, for a message is small most often
    for chunk in chunks:
        if kept := sieve.sift(chunk):
            yield kept
    if kept := sieve.end():
        yield kept
