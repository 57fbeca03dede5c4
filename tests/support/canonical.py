"""Messages put into canonical form by tests: with the facts and rules that most of them share."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from paperpath.mail.address import Mailbox, parse_mailbox
from paperpath.mail.header import find_fields
from paperpath.submission.canonical.body import BodyFacts, BodyScan
from paperpath.submission.canonical.encoder import BodyEncoder
from paperpath.submission.canonical.form import canonicalize
from paperpath.submission.canonical.refusals import CanonicalError
from paperpath.submission.canonical.values import Canonical, CanonicalRules, Submitted

RULES = CanonicalRules("mx.here.example", "here.example", is_known=("joe", "mary").__contains__)
SUBMITTED = Submitted(
    Mailbox("joe", "here.example"),
    datetime(2026, 11, 23, 9, 55, 6, tzinfo=timezone(timedelta(hours=1))),
    "token",
)
COMPLETE = "Date: Mon, 23 Nov 2026 09:55:06 +0100\nMessage-ID: <id@here.example>\n"
WHOLE = f"From: joe@here.example\nTo: mary@else.example\n{COMPLETE}"


@dataclass(frozen=True, slots=True)
class Put:
    """A message in canonical form; line ends of header and body are LF again where there are only CRLF."""

    made: Canonical
    header: str
    body: bytes
    changes: list[str]

    def values(self, name: str) -> list[str]:
        """Return the unfolded values of the fields of a name, without blanks around them."""
        octets = self.made.header
        return [value.decode().strip() for value in find_fields(octets, name.lower().encode())]


def put(
    header: str | bytes,
    body: bytes = b"",
    *,
    rules: CanonicalRules = RULES,
    submitted: Submitted = SUBMITTED,
    **facts: object,
) -> Put:
    """Put a message into canonical form; text has LF, `facts` are those of the submission that differ.

    Raises: CanonicalError.
    """
    octets = to_wire(header)
    submitted = replace(submitted, **facts)  # type: ignore[arg-type]
    made = canonicalize(octets, scan(octets, [body]), submitted, rules)
    written = body if made.encoder is None else encode(made.encoder, [body])
    return Put(made, made.header.decode().replace("\r\n", "\n"), written, list(map(str, made.changes)))


def refuse(header: str | bytes, body: bytes = b"", **options: object) -> str:
    """Return the reply that a message gets, which must be refused."""
    try:
        done = put(header, body, **options)  # type: ignore[arg-type]
    except CanonicalError as error:
        return str(error.reply)
    raise AssertionError(f"it was taken: {done}")


def to_wire(text: str | bytes) -> bytes:
    """Write text with LF as it comes by SMTP; octets are that already."""
    return text if isinstance(text, bytes) else text.encode().replace(b"\n", b"\r\n")


def scan(header: bytes, chunks: Iterable[bytes]) -> BodyFacts:
    """Look at a body."""
    looking = BodyScan(header)
    for chunk in chunks:
        looking.add(chunk)
    return looking.finish()


def encode(encoder: BodyEncoder, chunks: Iterable[bytes]) -> bytes:
    """Let a body pass through an encoder."""
    return b"".join([*map(encoder.encode, chunks), encoder.finish()])


def mailbox(text: str) -> Mailbox:
    """Read an address."""
    return parse_mailbox(text)
