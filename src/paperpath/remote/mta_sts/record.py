"""The TXT record that says that a domain has a policy, and which (RFC 8461 §3.1). Pure."""

import re
from collections.abc import Sequence

PREFIX = "_mta-sts."
"""What comes before the domain, in the name of the record."""

_BEGINNING = b"v=STSv1;"
_DELIMITER = re.compile(rb"[ \t]*;[ \t]*")
_FIELD = re.compile(rb"([A-Za-z0-9][A-Za-z0-9_.-]{0,31})=([\x21-\x3a\x3c\x3e-\x7e]+)")
_ID = re.compile(rb"[A-Za-z0-9]{1,32}")


def find_policy_id(records: Sequence[bytes]) -> str | None:
    """Return the id of the policy that TXT records tell of; `None` where they tell of none, or of several."""
    ours = [record for record in records if record.startswith(_BEGINNING)]
    return _read(ours[0]) if len(ours) == 1 else None


def _read(record: bytes) -> str | None:
    """Read a record; `None` where it is malformed. The first id counts."""
    _, *fields = _DELIMITER.split(record)
    if fields[-1] == b"":
        fields.pop()
    found: bytes | None = None
    for field in fields:
        match = _FIELD.fullmatch(field)
        if match is None:
            return None
        if match[1] == b"id" and found is None:
            found = match[2]
    return found.decode("ascii") if found is not None and _ID.fullmatch(found) else None
