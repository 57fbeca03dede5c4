"""Invariant: any octets have a structure, whose parts lie within each other; every section agrees with it."""

from collections.abc import Iterator

from paperpath.imap.content.binary import find_binary, measure_binary, read_binary
from paperpath.imap.content.envelope_text import write_envelope
from paperpath.imap.content.preview import MOST_CHARACTERS, make_preview
from paperpath.imap.content.search import prepare_search
from paperpath.imap.content.searched import SearchContext
from paperpath.imap.content.sections import find_extent, find_part, read_section
from paperpath.imap.content.structure_text import write_structure
from paperpath.imap.content.summaries import summarise
from paperpath.imap.fetch_items import Partial, Section, SectionText
from paperpath.imap.search_keys import NotKey, TextKey
from paperpath.mail.mime.encodings import UnknownEncodingError
from paperpath.mail.mime.part import Extent, Part, pack_part, unpack_part
from paperpath.mail.mime.structure import read_structure
from tests.fuzz.pace import at_pace
from tests.support.mime import PIECES, Message, Said, read_said

MOST_OCTETS = 4096
WORDS = (
    *PIECES, b"From: ", b"To: ", b"a@b", b"<a@b>", b"(c)", b'"', b"\\", b":;", b",", b"Subject: Re: [a] ",
    b"(fwd)", b"References: <a@b>", b"Date: 1 Feb 2020", b"=?utf-8?q?=C3=A9?=", b"charset*0=utf-8",
    b"; boundary*=''%61", b"Content-Transfer-Encoding: quoted-printable", b"=\r\n", b"=3D", b"YWJj",
    b"<!--", b"<style>", b"</style>",
)  # fmt: skip
_MOST_US = 100


def check(octets: bytes) -> None:
    """Take it for a message, and show all of it."""
    at_pace(lambda: check_structure(octets), len(octets), _MOST_US)
    at_pace(lambda: check_sections(octets), len(octets), _MOST_US)
    at_pace(lambda: check_texts(octets), len(octets), _MOST_US)


def each_part(part: Part) -> Iterator[Part]:
    """Give a part and all that is in it."""
    yield part
    for child in part.children:
        yield from each_part(child)


def check_structure(message: bytes) -> None:
    """Assert that parts lie within each other, in order, and are the same however the octets come."""
    whole = read_structure([message])
    assert whole.extent == Extent(0, len(message))
    assert read_structure(message[place : place + 3] for place in range(0, len(message), 3)) == whole
    assert unpack_part(pack_part(whole)) == whole
    for part in each_part(whole):
        assert part.header.begin <= part.header.end == part.body.begin <= part.body.end
        assert part.lines == message[slice(*part.body)].count(b"\n")
        place = part.body.begin
        for child in part.children:
            assert place <= child.header.begin
            place = child.body.end
        assert place <= part.body.end


def check_sections(message: bytes) -> None:
    """Assert that what BODYSTRUCTURE says of each part is what its section holds."""
    whole = read_structure([message])
    for extended in (True, False):
        check_part(read_said(write_structure(whole, extended=extended)), (), whole, message)
    header = fetch(Section((), SectionText.HEADER), whole, message)
    rest = fetch(Section((), SectionText.TEXT), whole, message)
    assert header is not None
    assert rest is not None
    assert header + rest == fetch(Section(), whole, message) == message
    assert fetch(Section((), SectionText.FIELDS_NOT), whole, message) == header
    envelope = read_said(write_envelope(header))
    assert isinstance(envelope, list)
    assert len(envelope) == 10
    assert read_said(write_envelope(whole.envelope)) == envelope


def fetch(section: Section, whole: Part, message: bytes) -> bytes | None:
    """Read a section; assert that a partial of it is a part of it."""
    found = read_section(whole, section, None, lambda begin, end: message[begin:end])
    partial = read_section(whole, section, Partial(1, 3), lambda begin, end: message[begin:end])
    assert partial == (None if found is None else found[1:4])
    return found


def check_part(said: Said, path: tuple[int, ...], whole: Part, message: bytes) -> None:
    """Assert it of a part and those in it."""
    assert isinstance(said, list)
    if isinstance(said[0], list):
        count = next(place for place, word in enumerate(said) if not isinstance(word, list))
        for number, part in enumerate(said[:count], 1):
            check_part(part, (*path, number), whole, message)
        assert find_part(whole, (*path, count + 1)) is None
        return
    path = path or (1,)
    octets = fetch(Section(path), whole, message)
    assert octets is not None
    assert len(octets) == said[6]
    assert fetch(Section(path, SectionText.MIME), whole, message) is not None
    check_binary(path, whole, message)
    if isinstance(said[0], bytes) and said[0].lower() == b"text":
        assert octets.count(b"\n") == said[7]
    if len(said) > 8 and isinstance(said[7], list) and isinstance(said[8], list):
        header = fetch(Section(path, SectionText.HEADER), whole, message)
        rest = fetch(Section(path, SectionText.TEXT), whole, message)
        assert header is not None
        assert rest is not None
        assert header + rest == octets
        assert octets.count(b"\n") == said[9]
        is_multipart = isinstance(said[8][0], list)
        check_part(said[8], path if is_multipart else (*path, 1), whole, message)
    else:
        assert find_extent(whole, Section(path, SectionText.HEADER)) is None
        assert find_part(whole, (*path, 1)) is None


def check_binary(path: tuple[int, ...], whole: Part, message: bytes) -> None:
    """Assert that a decoded part has the octets that are said."""
    found = find_binary(whole, path)
    assert found is not None
    extent, encoding = found
    try:
        decoded = b"".join(read_binary(encoding, [message[slice(*extent)]], None))
    except UnknownEncodingError:
        return
    assert measure_binary(encoding, [message[slice(*extent)]]) == len(decoded)


def check_texts(message: bytes) -> None:
    """Look for what is not there, and read what people see first."""
    searched = Message(message)
    assert prepare_search(NotKey(TextKey("\u2603nowhere")), SearchContext(1, 1, 0))(searched)
    shown = make_preview(searched.structure(), searched.read)
    assert len(shown) <= MOST_CHARACTERS
    assert len(f"a{shown}".splitlines()) == 1
    whole = read_structure([message])
    assert summarise(1, 0, len(message), searched.header()) == summarise(1, 0, len(message), whole.envelope)
