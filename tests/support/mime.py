"""MIME for tests: random messages, broken ones too; a message that SEARCH can ask; what IMAP says, read."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from hypothesis import strategies as st

from paperpath.imap.content.header_texts import write_header_texts
from paperpath.mail.header import header_section
from paperpath.mail.mime.part import Extent, Part
from paperpath.mail.mime.structure import read_structure

PIECES = (
    b"\r\n", b"\r\n\r\n", b"--", b"--a", b"--ab", b"--a--", b"--b", b"a", b"b", b" ", b"x: y", b"=", b"\0",
    b"Content-Type: multipart/mixed; boundary=a", b'Content-Type: multipart/digest; boundary="ab"',
    b"Content-Type: multipart/mixed; boundary=b", b"Content-Type: message/rfc822", b"Content-Type: text/html",
    b"\r\n--a\r\n", b"\r\n--ab\r\n", b"\r\n--b\r\n", b"\r\n--a--\r\n", b"\r\n--b--\r\n",
    b"Content-Transfer-Encoding: base64", b'Content-Disposition: attachment; filename="x"',
)  # fmt: skip

messages = st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join)


def text(lines: str) -> bytes:
    """Write a message with line ends as they travel."""
    return lines.encode().replace(b"\n", b"\r\n")


def structure_of(message: bytes) -> Part:
    return read_structure([message])


@dataclass
class Message:
    """A message in memory."""

    content: bytes = b""
    number: int = 1
    uid: int = 1
    flags: frozenset[str] = frozenset()
    internal_us: int = 0
    saved_us: int = 0
    modseq: int = 1
    email_id: str = "M1"
    thread_id: str = ""
    asked: list[str] = field(default_factory=list)

    @property
    def octets(self) -> int:
        return len(self.content)

    def header(self) -> bytes:
        self.asked.append("header")
        return header_section(self.content)

    def header_texts(self) -> bytes:
        return write_header_texts(self.header())

    def structure(self) -> Part:
        self.asked.append("structure")
        return structure_of(self.content)

    def read(self, extent: Extent) -> Iterable[bytes]:
        self.asked.append("body")
        octets = self.content[slice(*extent)]
        return [octets[place : place + 7] for place in range(0, len(octets), 7)]


Said = bytes | int | None | list["Said"]


def read_said(octets: bytes) -> Said:
    """Read what was written in IMAP's syntax: strings, literals, numbers, NIL and lists."""
    stack: list[list[Said]] = [[]]
    place = 0
    while place < len(octets):
        letter = octets[place : place + 1]
        if letter == b"(":
            stack.append([])
            place += 1
        elif letter == b")":
            done = stack.pop()
            stack[-1].append(done)
            place += 1
        elif letter == b" ":
            place += 1
        elif letter == b'"':
            word, place = _read_quoted(octets, place + 1)
            stack[-1].append(word)
        elif letter == b"{":
            end = octets.index(b"}\r\n", place)
            length = int(octets[place + 1 : end])
            stack[-1].append(octets[end + 3 : end + 3 + length])
            place = end + 3 + length
        else:
            end = min(
                (found for mark in b" )(" if (found := octets.find(mark, place)) >= 0), default=len(octets)
            )
            word = octets[place:end]
            stack[-1].append(None if word == b"NIL" else int(word))
            place = end
    ((said,),) = stack
    return said


def _read_quoted(octets: bytes, place: int) -> tuple[bytes, int]:
    word = b""
    while octets[place : place + 1] != b'"':
        if octets[place : place + 1] == b"\\":
            place += 1
        word += octets[place : place + 1]
        place += 1
    return word, place + 1
