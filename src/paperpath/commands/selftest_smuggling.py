"""Whether a server can be made to see the end of a message where there is none: SMTP smuggling.

Called by `paperpath selftest`. Each variant stands where a lax server ends the message, and a command behind
it; then come the real end and QUIT. A server that goes by RFC 5321 §2.3.8 and §4.1.1.4 has one reply to all
of that, and it is a refusal: what is sent holds a bare LF or CR, so that no message comes of it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from paperpath.commands.selftest_findings import Finding, Verdict
from paperpath.commands.selftest_wire import Talk

_BEGINNING = b"Subject: a self-test that is to be refused\r\n\r\nfirst line"
_SPOILT = b"\nsecond line"  # behind a bare LF, for which the message must be refused whatever else it holds
_HIDDEN = b"NOOP\r\n"
_END = b"\r\n.\r\nQUIT\r\n"

_ENDS = (
    b"\n.\n",
    b"\n.\r\n",
    b"\n.\r",
    b"\r.\r",
    b"\r.\r\n",
    b"\r.\n",
    b"\r\n.\n",
    b"\r\n.\r",
    b"\r\n.\r\r\n",
    b"\r\n.\r\0\n",
    b"\r\n\0.\r\n",
    b"\r\n.\0\r\n",
    b"\r\n. \r\n",
    b"\r\n.\t\r\n",
    b"\r\n ..\r\n",
    b"\r\n..\r\n",
    b"\r\n.\v\r\n",
    b"\v.\v",
    b"\f.\f",
    b"\x1c.\x1c",
    b"\x85.\x85",
    "\u0085.\u0085".encode(),
    "\u2028.\u2028".encode(),
    b"\0.\0",
)
_BREAKS = (b"\n", b"\r", b"\r\r\n", b"\n\r")


@dataclass(frozen=True, slots=True)
class Variant:
    """What is sent inside a message, and whether something else in it must have it refused."""

    octets: bytes
    is_spoilt: bool

    @property
    def name(self) -> str:
        """The octets, as they are written in Python."""
        return repr(self.octets)[2:-1]

    @property
    def content(self) -> bytes:
        """All that is sent behind 354."""
        return _BEGINNING + (_SPOILT if self.is_spoilt else b"") + self.octets + _HIDDEN + _END


def list_variants() -> Iterator[Variant]:
    """Give all: what may be taken for an end, then the line ends that must have a message refused alone."""
    for octets in _ENDS:
        yield Variant(octets, is_spoilt=True)
    for octets in _BREAKS:
        yield Variant(octets, is_spoilt=False)


def judge_replies(variant: Variant, replies: Sequence[str]) -> Finding:
    """Say what the replies mean that came behind 354."""
    tried = f"{variant.name} inside a message"
    said = " / ".join(replies) or "closed without a word"
    if any(not reply.startswith(("221", "421")) for reply in replies[1:]):
        return Finding(Verdict.FAULT, tried, f"the message was split there: {said}")
    if not replies or replies[0].startswith("221"):
        return Finding(Verdict.UNTOLD, tried, said)
    if replies[0].startswith("2"):
        return Finding(Verdict.FAULT, tried, f"taken, line end and all: {said}")
    if replies[0].startswith("5"):
        return Finding(Verdict.GOOD, tried, f"refused: {said}")
    return Finding(Verdict.UNTOLD, tried, f"put off: {said}")


def try_variants(server: str, connect: Callable[[], Talk]) -> Iterator[Finding]:
    """Try every variant, each on a connection of its own. Raises: UnreachableError."""
    for variant in list_variants():
        with connect() as talk:
            trouble = _begin(talk)
            if trouble:
                yield Finding(Verdict.UNTRIED, f"{server}: a message to its postmaster", trouble)
                return
            talk.send(variant.content)
            found = judge_replies(variant, talk.read_replies())
            yield Finding(found.verdict, f"{server}: {found.tried}", found.seen)


def _begin(talk: Talk) -> str:
    """Go as far as the 354; return what was said instead, if it was."""
    reply = talk.read_reply()
    steps = ("EHLO selftest.invalid", "MAIL FROM:<>", "RCPT TO:<postmaster>", "DATA")
    for step in steps:
        if not reply.startswith("2"):
            return reply or "closed"
        reply = talk.say(step)
    return "" if reply.startswith("354") else reply or "closed"
