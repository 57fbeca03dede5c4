"""The DKIM-Signature field made: what it is about, its tags, the signature itself (RFC 6376 §3.5, §3.7, §5).

Header and body are in the relaxed form: a relay that folds a field anew, or takes blanks from the end of a
line, breaks nothing then; what a reader sees is signed all the same. There is no l=, so nothing can be added
to the body. From, To, Subject, Date and Reply-To are named once more than they are there, so that nobody can
add another (§8.15, requirement I-3).
"""

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from paperpath.dkim.form import Form
from paperpath.dkim.header import canonicalize_field, choose_fields, read_name
from paperpath.dkim.keyring import Signer
from paperpath.dkim.tags import fold_tags

_ONCE_MORE = (b"from", b"to", b"subject", b"date", b"reply-to")
_IF_THERE = (
    *(b"cc", b"message-id", b"in-reply-to", b"references", b"comments", b"keywords"),
    *(b"mime-version", b"content-type", b"content-transfer-encoding"),
    *(b"resent-date", b"resent-from", b"resent-to", b"resent-cc"),
    *(b"list-id", b"list-help", b"list-unsubscribe", b"list-unsubscribe-post"),
    *(b"list-subscribe", b"list-post", b"list-owner", b"list-archive"),
)
_LINE_END = b"\r\n"
_BASE64_LINE = 72  # behind a blank and `b=`, and before a semicolon


@dataclass(frozen=True, slots=True)
class Signed:
    """What of a message is signed: the names in h=, the fields in canonical form, the body's digest."""

    names: Sequence[bytes]
    header: bytes
    body_digest: bytes


def choose_signed(fields: Sequence[bytes], body_digest: bytes) -> Signed:
    """Choose what of a message is signed; `fields` are all of its header."""
    names = list(_list_names(fields))
    chosen = choose_fields(fields, names)
    header = b"".join([canonicalize_field(field, Form.RELAXED) for field in chosen])
    return Signed(names, header, body_digest)


def write_signature(signed: Signed, signer: Signer, time_s: int) -> bytes:
    """Write the field of one signer; `time_s` is for the tag t=."""
    tags = {
        "v": ["1"],
        "a": [signer.key.algorithm],
        "c": [f"{Form.RELAXED}/{Form.RELAXED}"],
        "d": [signer.domain],
        "s": [signer.selector],
        "t": [str(time_s)],
        "h": list(_write_names(signed.names)),
        "bh": [_write_base64(signed.body_digest)],
        "b": [],
    }
    # Its own field is signed last, without its CRLF and with nothing behind b= (§3.7).
    own = canonicalize_field(_write_field(tags), Form.RELAXED).removesuffix(_LINE_END)
    signature = _write_base64(signer.key.sign(sha256(signed.header + own).digest()))
    lines = range(0, len(signature), _BASE64_LINE)
    return _write_field(tags | {"b": [signature[begin : begin + _BASE64_LINE] for begin in lines]})


def _list_names(fields: Iterable[bytes]) -> Iterator[bytes]:
    counts = dict.fromkeys((*_ONCE_MORE, *_IF_THERE), 0)
    for field in fields:
        if (name := read_name(field)) in counts:
            counts[name] += 1
    for name, count in counts.items():
        yield from [name] * (count + (name in _ONCE_MORE))


def _write_names(names: Sequence[bytes]) -> Iterator[str]:
    for number, name in enumerate(names, 1):
        yield name.decode("ascii") + (":" if number < len(names) else "")


def _write_field(tags: dict[str, list[str]]) -> bytes:
    return fold_tags("DKIM-Signature:", tags).encode("ascii") + _LINE_END


def _write_base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")
