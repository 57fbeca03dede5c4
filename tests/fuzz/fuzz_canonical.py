"""Invariant: canonical form is legal, done twice it is done once, and the body says what it said before."""

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from paperpath.config.domain import DomainPattern
from paperpath.mail.address import Mailbox
from paperpath.mail.header import header_section
from paperpath.submission.canonical.body import BodyFacts, BodyScan
from paperpath.submission.canonical.encoder import BodyEncoder
from paperpath.submission.canonical.form import canonicalize
from paperpath.submission.canonical.lines import has_long_line
from paperpath.submission.canonical.mime import read_mime_facts
from paperpath.submission.canonical.parts import PartWalker, Role
from paperpath.submission.canonical.refusals import CanonicalError
from paperpath.submission.canonical.values import Canonical, CanonicalRules, Masquerade, Submitted, What
from tests.fuzz.pace import at_pace
from tests.fuzz.session import segments

MOST_OCTETS = 4096
WORDS = (
    b"\r\n", b"\r\n\r\n", b"\r\n ", b" :", b"From: ", b"From: joe\r\n", b"Sender: ", b"To: ", b"Cc: ",
    b"Bcc: ", b"Reply-To: ", b"Date: ", b"Message-ID: ", b"Subject: ", b"Resent-To: ", b"Resent-From: ",
    b"Resent-Bcc: ", b"Return-Path: ", b"References: ", b"DKIM-Signature: h=from:to;",
    b"MIME-Version: 1.0\r\n", b"Content-Type: text/plain\r\n", b"Content-Type: application/pdf\r\n",
    b"Content-Type: message/rfc822\r\n",
    b"Content-Type: multipart/mixed; boundary=b\r\n", b"Content-Type: multipart/signed; boundary=s\r\n",
    b"Content-Transfer-Encoding: 8bit\r\n", b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: quoted-printable\r\n", b"\r\n--b\r\n", b"\r\n--b--\r\n", b"\r\n--s\r\n",
    b"a@b.example", b"<a@host.here.example>", b"a@single", b"a, b", b"g:;", b"(c)", b'"q" <a@b.example>',
    b"=?utf-8?q?x?=", "ü".encode(), b"\xff", b"\0", b"x" * 60, b"=", b"=\r\n", b"=41", b"-",
    b"Fri, 21 Nov 97 09:55 EST",
)  # fmt: skip

_JOE = Mailbox("joe", "here.example")
_MASQUERADE = Masquerade(
    (DomainPattern(".here.example"),), "here.example", {"u": Mailbox("U.Ser", "here.example")}
)
_HIDDEN = re.compile(rb"(?:resent-bcc|return-path)[ \t]*:|bcc[ \t]*:[ \t]*[^ \t\r\n]", re.IGNORECASE)
_BLANK_LINE = re.compile(rb"\r\n[ \t]*\r\n")
_STRAY = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_SWELLS = 255
_LONG_OCTETS = 1200  # how long a line of the body gets that is to be too long
_SWOLLEN_OCTETS = (
    50_000  # how long a word of the header gets, so that looking at it again and again would show
)


def check(octets: bytes) -> None:
    """The first octet says which rules there are, the second how the body is cut, or that its lines swell."""
    options, cut = (*octets[:2], 0, 0)[:2]
    message = octets[2:]
    header = header_section(message)
    body = _STRAY.sub(b"", message[len(header) :].removeprefix(b"\r\n"))  # which SMTP does not take
    if cut == _SWELLS:
        body = body.replace(b"x" * 20, b"x" * _LONG_OCTETS)
    rules = CanonicalRules(
        "mx.here.example",
        "here.example",
        is_known=("joe", "u").__contains__,
        parent="here.example" if options & 1 else "",
        is_strict=not options & 2,
        masquerade=_MASQUERADE if options & 4 else Masquerade(),
        encode_8bit=bool(options & 8),
    )
    international = bool(options & 16)
    submitted = Submitted(
        None if options & 32 else _JOE,
        datetime(2026, 11, 23, 9, 55, 6, tzinfo=UTC),
        "token",
        _JOE if options & 64 else None,
        "J. Öe" if options & 128 else "",
        international=international,
    )
    facts = scan(header, body, cut)
    assert facts == scan(header, body, 0)
    try:
        made = canonicalize(header, facts, submitted, rules)
    except CanonicalError as error:
        check_refusal(error)
        return
    swollen = header.replace(b"x" * 20, b"x" * _SWOLLEN_OCTETS) if cut == _SWELLS else header
    at_pace(lambda: is_taken(swollen, facts, submitted, rules), len(swollen), 20)
    check_header(header, made, international=international)
    written = check_body(header, body, made, cut)
    again_facts = scan(made.header, written, 0)
    again = canonicalize(made.header, again_facts, submitted, rules)
    assert again.header is made.header
    assert {change.what for change in again.changes} <= {What.KEPT}
    assert again.encoder is None
    assert again.is_eight_bit == made.is_eight_bit == (not (made.header + written).isascii())


def is_taken(header: bytes, facts: BodyFacts, submitted: Submitted, rules: CanonicalRules) -> bool:
    """Tell whether a header can be put into canonical form."""
    try:
        canonicalize(header, facts, submitted, rules)
    except CanonicalError:
        return False
    return True


def check_refusal(error: CanonicalError) -> None:
    """Assert that a refusal is one."""
    assert error.reply.code in (550, 554)
    assert str(error).isprintable()


def check_header(header: bytes, made: Canonical, *, international: bool) -> None:
    """Assert that a header is legal, and that nothing was done without being told."""
    assert made.header.endswith(b"\r\n")
    assert made.header.count(b"\r") == made.header.count(b"\n") == made.header.count(b"\r\n")
    assert not has_long_line(made.header)
    assert _BLANK_LINE.search(made.header) is None
    assert b"\0" not in made.header
    if international:
        made.header.decode("utf-8")
    else:
        assert made.header.isascii()
    lines = re.split(rb"\r\n(?![ \t])", made.header.removesuffix(b"\r\n"))
    assert all(re.match(rb"[!-9;-~]+:", line) for line in lines)
    assert not any(_HIDDEN.match(line) for line in lines)
    told = {change.what for change in made.changes} - {What.KEPT}
    assert (made.header != header) == bool(
        told - {What.ENCODED, What.SIGNATURE_BROKEN}
    ) or What.ENCODED in told
    if made.header == header:
        assert made.header is header


def check_body(header: bytes, body: bytes, made: Canonical, cut: int) -> bytes:
    """Assert that what goes out can be sent, and says the same; return it."""
    if made.encoder is None:
        return body
    written = encode(made.encoder, body, cut)
    assert not has_long_line(written)
    assert list(read_parts(header, body)) == list(read_parts(made.header, written))
    return written


def scan(header: bytes, body: bytes, cut: int) -> BodyFacts:
    """Look at a body that comes in pieces."""
    looking = BodyScan(header)
    for segment in segments(body, cut) if cut else [body]:
        looking.add(segment)
    return looking.finish()


def encode(encoder: BodyEncoder, body: bytes, cut: int) -> bytes:
    """Let a body that comes in pieces pass through its encoder."""
    written = [encoder.encode(segment) for segment in (segments(body, cut) if cut else [body])]
    return b"".join((*written, encoder.finish()))


def read_parts(header: bytes, body: bytes) -> Iterator[tuple[int, str, bytes]]:
    """Give the parts of a message, decoded."""
    walker = PartWalker(read_mime_facts(header))
    bodies: dict[int, tuple[str, str, bytes]] = {}
    for piece in (*walker.feed(body), *walker.finish()):
        if piece.role is Role.BODY:
            mime = piece.part.mime
            so_far = bodies.get(piece.part.number, ("", "", b""))[2]
            bodies[piece.part.number] = mime.kind, mime.encoding, so_far + piece.octets
    for number, (kind, encoding, octets) in bodies.items():
        yield number, kind, decode(encoding, octets)


def decode(encoding: str, octets: bytes) -> bytes:
    """Undo a transfer encoding as others would."""
    if encoding == "quoted-printable":
        return quopri.decodestring(octets)
    if encoding == "base64":
        try:
            return base64.b64decode(octets)
        except binascii.Error:
            return re.sub(rb"[^A-Za-z0-9+/=]", b"", octets)
    return octets
