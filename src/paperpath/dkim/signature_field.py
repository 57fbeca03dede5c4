"""A DKIM-Signature field, read (RFC 6376 §3.5, §6.1.1).

Called by verification.py. Whatever stands in the field, it is a signature or a FlawError says why not.
"""

import base64
import binascii
import re
from collections.abc import Mapping

from paperpath.dkim.findings import FlawError, Verdict
from paperpath.dkim.form import Form
from paperpath.dkim.tags import TagError, parse_tags, remove_blanks
from paperpath.mail.domain import is_domain, to_a_labels
from paperpath.mail.value import value

FIELD_NAME = b"dkim-signature"
_REQUIRED = (b"v", b"a", b"b", b"bh", b"d", b"h", b"s")
_WEAK = b"rsa-sha1"
_KINDS = {b"rsa-sha256": b"rsa", b"ed25519-sha256": b"ed25519"}
_NUMBER = re.compile(rb"[0-9]{1,76}")
_BLANKS = rb"[ \t\r\n]*"
_OWN_VALUE = re.compile(rb"((?:^|;)" + _BLANKS + rb"b" + _BLANKS + rb"=)[^;]*")
_SHOWN_OF_SIGNATURE = 8  # RFC 6008 §4

Properties = tuple[tuple[str, str], ...]


@value
class Signature:
    """What a field says that can be verified.

    `kind` is that of the key; `identity` is the domain of i=; `body_octets` is how much of the body is
    signed, in its canonical form, and `None` for all.
    """

    kind: bytes
    octets: bytes
    body_hash: bytes
    header_form: Form
    body_form: Form
    domain: str
    selector: str
    identity: str
    names: tuple[bytes, ...]
    body_octets: int | None

    @property
    def key_name(self) -> str:
        """Where in the DNS its key is."""
        return f"{self.selector}._domainkey.{self.domain}"


def read_field(field: bytes) -> Mapping[bytes, bytes]:
    """Return the tags of a whole field. Raises: FlawError."""
    try:
        return parse_tags(field.partition(b":")[2])
    except TagError:
        raise _flaw("the signature is no list of tags") from None


def show(tags: Mapping[bytes, bytes]) -> Properties:
    """Return what tells a signature from others, as far as it is fit to be shown (RFC 8601 §2.7.1)."""
    domain, selector = _read_name(tags.get(b"d", b"")), _read_name(tags.get(b"s", b""))
    written = remove_blanks(tags.get(b"b", b""))[:_SHOWN_OF_SIGNATURE]
    found = (("header.d", domain), ("header.s", selector), ("header.b", written.decode("ascii", "replace")))
    return tuple((name, text) for name, text in found if text)


def make_signature(tags: Mapping[bytes, bytes], arrived_s: int) -> Signature:
    """Read the tags; whether it has expired is judged by when the message came here. Raises: FlawError."""
    for name in _REQUIRED:
        if name not in tags:
            raise _flaw(f"the signature has no {name.decode()}=")
    if tags[b"v"] != b"1":
        raise _flaw("the signature is of another version")
    if tags[b"a"] == _WEAK:
        raise FlawError(Verdict.POLICY, "rsa-sha1 is not gone by")  # RFC 8301 §3.1
    if tags[b"a"] not in _KINDS:
        raise _flaw("the algorithm is unknown")
    if b"dns/txt" not in remove_blanks(tags.get(b"q", b"dns/txt")).split(b":"):
        raise _flaw("the key is not in the DNS")
    header_form, body_form = _read_forms(tags.get(b"c", b"simple/simple"))
    domain, selector = _read_name(tags[b"d"]), _read_name(tags[b"s"])
    if not domain or not selector:
        raise _flaw("domain or selector is no name")
    _refuse_expired(tags, arrived_s)
    return Signature(
        _KINDS[tags[b"a"]],
        _decode(tags[b"b"]),
        _decode(tags[b"bh"]),
        header_form,
        body_form,
        domain,
        selector,
        _read_identity(tags.get(b"i", b"@" + tags[b"d"]), domain),
        _read_names(tags[b"h"]),
        _read_number(tags[b"l"]) if b"l" in tags else None,
    )


def without_own_value(field: bytes) -> bytes:
    """Return a field with nothing in its b=, as it was when it was signed (RFC 6376 §3.5)."""
    name, colon, tags = field.partition(b":")
    return name + colon + _OWN_VALUE.sub(rb"\1", tags, count=1)


def _read_name(written: bytes) -> str:
    """Return a domain or a selector in A-labels; empty where it is none. Underscores are fine."""
    if not written.isascii():
        return to_a_labels(written.decode("utf-8", "replace")) or ""
    name = written.decode().lower()
    return name if is_domain(name.replace("_", "x")) else ""


def _read_forms(written: bytes) -> tuple[Form, Form]:
    header, slash, body = written.partition(b"/")
    try:
        return Form(header.decode()), Form(body.decode() if slash else Form.SIMPLE)
    except ValueError:
        raise _flaw("the canonical form is unknown") from None


def _read_names(written: bytes) -> tuple[bytes, ...]:
    names = tuple(remove_blanks(written).lower().split(b":"))
    if b"from" not in names:
        raise FlawError(Verdict.PERMERROR, "From is not signed")
    return names


def _read_identity(written: bytes, domain: str) -> str:
    identity = _read_name(remove_blanks(written.rpartition(b"@")[2]))
    if identity != domain and not identity.endswith("." + domain):
        raise FlawError(Verdict.PERMERROR, "i= is not of the domain")
    return identity


def _refuse_expired(tags: Mapping[bytes, bytes], arrived_s: int) -> None:
    if b"x" not in tags:
        return
    expires_s = _read_number(tags[b"x"])
    if b"t" in tags and expires_s <= _read_number(tags[b"t"]):
        raise _flaw("the signature expires before it is made")
    if expires_s < arrived_s:
        raise FlawError(Verdict.PERMERROR, "the signature has expired")


def _read_number(written: bytes) -> int:
    if _NUMBER.fullmatch(written) is None:
        raise _flaw("a tag has no number")
    return int(written)


def _decode(written: bytes) -> bytes:
    try:
        return base64.b64decode(remove_blanks(written), validate=True)
    except binascii.Error:
        raise _flaw("a tag is no base64") from None


def _flaw(reason: str) -> FlawError:
    return FlawError(Verdict.NEUTRAL, reason)
