"""BODYSTRUCTURE and BODY[n] of messages that are hard to understand: they agree (requirement K-14).

A message is put into a mailbox, its BODYSTRUCTURE is read, and each part of it is asked for by the number
that RFC 9051 §6.4.5.1 gives it. `numbers` are what they must be. So are those of random shapes, and whatever
parts the messages of others have: put in by APPEND, or left there by another program with its own line ends.
"""

import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.corpus import own_messages
from tests.support.imap_desk import BOX, SETTINGS, Client, open_house
from tests.support.mime import Said, read_said, text

NESTED = """\
Subject: outer
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"

--outer
Content-Type: text/plain

first
--outer
Content-Type: message/rfc822

Subject: one
Content-Type: multipart/mixed; boundary=inner

preamble that says --inner in a line
--inner
Content-Type: multipart/alternative; boundary=innermost

--innermost

a
--innermost
Content-Type: text/html

<b>
--innermost--
--inner
Content-Type: message/rfc822
Content-Disposition: attachment

Subject: two

plain
--inner--
epilogue
--outer
Content-Type: message/rfc822

Subject: three
Content-Type: message/rfc822

Subject: four
Content-Type: image/gif
Content-Transfer-Encoding: base64

R0lG
--outer--
"""
TORTURE = {
    "no-mime": ("Subject: a\n\nbody\nof two lines\n", {"1": "text/plain"}),
    "nothing": ("\n", {"1": "text/plain"}),
    "no-body": ("Subject: only a header\n", {"1": "text/plain"}),
    "nested": (
        NESTED,
        {
            "1": "text/plain", "2": "message/rfc822", "2.1.1": "text/plain", "2.1.2": "text/html",
            "2.2": "message/rfc822", "2.2.1": "text/plain", "3": "message/rfc822",
            "3.1": "message/rfc822", "3.1.1": "image/gif",
        },
    ),
    "message-alone": (
        "Subject: a\nContent-Type: message/rfc822\n\nSubject: b\n\nc\n",
        {"1": "message/rfc822", "1.1": "text/plain"},
    ),
    "digest": (
        "Content-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: x\n\ny\n--d\n"
        "Content-Type: text/plain\n\nz\n--d--\n",
        {"1": "message/rfc822", "1.1": "text/plain", "2": "text/plain"},
    ),
    "no-end": (
        "Content-Type: multipart/mixed; boundary=d\n\n--d\n\nx\n--d\nContent-Type: text/html\n\ny",
        {"1": "text/plain", "2": "text/html"},
    ),
    "boundaries-alike": (
        "Content-Type: multipart/mixed; boundary=ab\n\n--ab\nContent-Type: multipart/mixed; boundary=a\n\n"
        "--a\n\nx\n--a--\n--ab\n\ny\n--abc\n\nz\n--ab--\n--ab\n\nno part\n",
        None,
    ),
    "never-opened": ("Content-Type: multipart/mixed; boundary=d\n\nno part at all\n", None),
    "no-boundary": ("Content-Type: multipart/mixed\n\n--\n\nx\n----\n", None),
    "unended-inside": (
        "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/mixed; boundary=i\n\n"
        "--i\n\nx\n--o\nContent-Type: text/html\n\ny\n--o--\n",
        {"1.1": "text/plain", "2": "text/html"},
    ),
    "odd-types": (
        "Content-Type: multipart/mixed; boundary=d\n\n--d\nContent-Type: nonsense\n\nx\n--d\n"
        'Content-Type: Text/PLAIN; charset="\\"q\\""; name*0=a; name*1=b\nContent-Type: text/html\n\ny\n'
        "--d\nContent-Type:\n\n--d\n--d\n\n--d--\n",
        None,
    ),
    "bad-encoding": (
        "Content-Type: multipart/mixed; boundary=d\nContent-Transfer-Encoding: base64\n\n--d\n"
        "Content-Transfer-Encoding: x-unheard-of\n\nx\n--d--\n",
        {"1": "text/plain"},
    ),
    "deep": ("".join(f"Content-Type: multipart/mixed; boundary=d{n}\n\n--d{n}\n" for n in range(300)), None),
}  # fmt: skip


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    large = replace(SETTINGS, message_octets=10_000_000)
    with open_house(tmp_path_factory.mktemp("structure"), settings=large) as house:
        client = house.enter()
        client.ask("SELECT INBOX")
        yield client


@dataclass(frozen=True)
class Shape:
    """A part, or a whole message: its type, what stands in it, and the parts or the message that are in it.

    `octets`: so many in short lines, behind the others.
    """

    kind: str
    lines: tuple[str, ...] = ()
    octets: int = 0
    inside: tuple["Shape", ...] = ()
    preamble: bool = False

    def write(self, boundaries: Iterator[str], fields: tuple[str, ...] = ()) -> list[str]:
        """Write it in lines; what is in front of it has no line end between."""
        if not self.kind.startswith("multipart/"):
            own = [*self.lines, *["y"] * (self.octets // 3)]
            within = self.inside[0].write(boundaries, ("Subject: inside",)) if self.inside else own
            return [*fields, f"Content-Type: {self.kind}", "", *within]
        boundary = next(boundaries)
        written = [*fields, f'Content-Type: {self.kind}; boundary="{boundary}"', ""]
        written += ["preamble"] * self.preamble
        for child in self.inside:
            written += [f"--{boundary}", *child.write(boundaries)]
        return [*written, f"--{boundary}--", *["epilogue"] * self.preamble]

    def number(self, own: str) -> Iterator[tuple[str, str]]:
        """Give the parts that are no multipart, by number."""
        if self.kind.startswith("multipart/"):
            for place, child in enumerate(self.inside, 1):
                yield from child.number(f"{own}.{place}" if own else str(place))
        else:
            own = own or "1"
            yield own, self.kind
            for message in self.inside:
                is_multipart = message.kind.startswith("multipart/")
                yield from message.number(own if is_multipart else f"{own}.1")


words = st.sampled_from(("", "word", "a longer line, with words", "  --", "-- ", "x" * 900, "--b", "From me"))
texts = st.lists(words, max_size=6).map(tuple)
leaves = st.builds(
    Shape,
    st.sampled_from(("text/plain", "text/html", "image/gif", "application/octet-stream")),
    texts,
    st.sampled_from((0, 0, 0, 65_400, 65_536, 131_000)),  # up to where the store's pieces end, and beyond
)


def _nest(shapes: st.SearchStrategy[Shape]) -> st.SearchStrategy[Shape]:
    messages = shapes.map(lambda shape: Shape("message/rfc822", inside=(shape,)))
    kinds = st.sampled_from(("multipart/mixed", "multipart/alternative", "multipart/signed"))
    parts = st.lists(shapes, min_size=1, max_size=4).map(tuple)
    return st.one_of(messages, st.builds(Shape, kinds, inside=parts, preamble=st.booleans()))


shapes = st.recursive(leaves, _nest, max_leaves=8)
_files = itertools.count(1)


def leave(client: Client, octets: bytes) -> str:
    """Have another program leave a message as it is in INBOX; return its UID."""
    folder = client.house.folder / BOX / "new"
    (folder / f"1600000000.M{next(_files)}P1.other").write_bytes(octets)
    (status,) = (line for line in client.ask("STATUS INBOX (UIDNEXT)") if b"UIDNEXT" in line)
    client.ask("NOOP")
    return str(int(status.split()[-1].rstrip(b")")) - 1)


def append(client: Client, octets: bytes) -> str:
    return client.put("INBOX", octets).split()[4].rstrip(b"]").decode()


def check_agreement(client: Client, uid: str) -> dict[str, list[Said]]:
    """See that each part is what the structure of its message says; return the parts by number."""
    message = value(client, uid, "BODY.PEEK[]")
    structure = read_said(fetch(client, uid, "BODYSTRUCTURE"))
    assert isinstance(structure, list)
    parts = dict(walk(structure, ""))
    for number, part in parts.items():
        compare(client, uid, message, number, part)
    multiparts = {above for number in parts for above in _list_above(number)} - parts.keys()
    for number in multiparts:
        assert value(client, uid, f"BODY.PEEK[{number}]") in message  # a multipart, which has no size
    assert fetch(client, uid, "RFC822.SIZE") == b"%d" % len(message)
    return parts


def _list_above(number: str) -> Iterator[str]:
    while "." in number:
        number = number.rpartition(".")[0]
        yield number


@settings(max_examples=40)
@given(shape=shapes, ends=st.sampled_from(("\r\n", "\n", "mixed")), is_left=st.booleans())
def test_K14_random_shapes_have_the_parts_that_they_were_made_of(
    client: Client, shape: Shape, ends: str, is_left: bool
) -> None:
    boundaries = (f"b{number}" for number in itertools.count(10))
    lines = shape.write(boundaries, ("Subject: outside", "MIME-Version: 1.0"))
    each = itertools.cycle(("\r\n", "\n", "\n") if ends == "mixed" else (ends,))
    octets = "".join(line + end for line, end in zip(lines, each, strict=False)).encode()
    uid = leave(client, octets) if is_left else append(client, octets)
    parts = check_agreement(client, uid)
    if is_left or ends == "\r\n":  # what is put in with other line ends stays so, and they end no lines
        assert {number: kind_of(part) for number, part in parts.items()} == dict(shape.number(""))
        for number, part in parts.items():
            compare_subject(client, uid, number, part)


def test_K14_odd_messages_and_those_that_fuzzing_kept_have_the_parts_that_are_said(client: Client) -> None:
    kept = Path(__file__).parents[1] / "fuzz" / "corpus" / "mime"
    for octets in (*own_messages(30), *(file.read_bytes() for file in sorted(kept.iterdir()))):
        if octets:
            check_agreement(client, append(client, octets))
            check_agreement(client, leave(client, octets))


@pytest.mark.slow
def test_K14_mail_of_others_has_the_parts_that_are_said(client: Client) -> None:
    corpora = os.environ.get("PAPERPATH_CORPORA")
    if not corpora:
        pytest.skip("PAPERPATH_CORPORA names no folder of messages")
    found = [file.read_bytes() for file in sorted(Path(corpora).rglob("*")) if file.is_file()]
    nested = [octets for octets in found if len(octets) < 100_000 and octets.count(b"\nContent-Type:") > 2]
    for octets in nested:
        check_agreement(client, leave(client, octets))


@pytest.mark.parametrize("name", TORTURE)
def test_K14_the_parts_of_a_message_are_those_of_its_structure(client: Client, name: str) -> None:
    lines, numbers = TORTURE[name]
    message = text(lines)
    uid = client.put("INBOX", message).split()[4].rstrip(b"]").decode()
    structure = read_said(fetch(client, uid, "BODYSTRUCTURE"))
    assert isinstance(structure, list)
    parts = dict(walk(structure, ""))
    if numbers is not None:
        assert {number: kind_of(part) for number, part in parts.items()} == numbers
    for number, part in parts.items():
        compare(client, uid, message, number, part)
        compare_subject(client, uid, number, part)
    last = [int(number) for number in parts if number.isdigit()]
    if last:
        assert fetch(client, uid, f"BODY.PEEK[{max(last) + 1}]") == b"NIL"
    whole = value(client, uid, "BODY.PEEK[]")
    assert whole == message
    assert value(client, uid, "BODY.PEEK[HEADER]") + value(client, uid, "BODY.PEEK[TEXT]") == message
    assert fetch(client, uid, "RFC822.SIZE") == b"%d" % len(message)
    assert fetch(client, uid, "BODY").startswith(b"(")


def compare(client: Client, uid: str, message: bytes, number: str, part: list[Said]) -> None:
    octets = value(client, uid, f"BODY.PEEK[{number}]")
    assert len(octets) == part[6]
    assert octets[1:4] == value(client, uid, f"BODY.PEEK[{number}]<1.3>")
    assert value(client, uid, f"BODY.PEEK[{number}]<{len(octets)}.9>") == b""
    assert value(client, uid, f"BODY.PEEK[{number}.MIME]") + octets in message
    kind = kind_of(part)
    if kind == "message/rfc822":
        header = value(client, uid, f"BODY.PEEK[{number}.HEADER]")
        assert header + value(client, uid, f"BODY.PEEK[{number}.TEXT]") == octets
        assert part[9] == octets.count(b"\n")
    elif kind.startswith("text/"):
        assert part[7] == octets.count(b"\n")
        assert fetch(client, uid, f"BODY.PEEK[{number}.HEADER]") == b"NIL"


def compare_subject(client: Client, uid: str, number: str, part: list[Said]) -> None:
    """See that the envelope of a message in a part is that of its header, which has a subject."""
    if kind_of(part) == "message/rfc822":
        envelope = part[7]
        assert isinstance(envelope, list)
        assert b"Subject: %s\r\n" % envelope[1] in value(client, uid, f"BODY.PEEK[{number}.HEADER]")


def walk(structure: list[Said], above: str) -> Iterator[tuple[str, list[Said]]]:
    """Give the parts that are no multipart by number; `above` is that of a message around it, and a dot."""
    if isinstance(structure[0], list):
        for place, child in enumerate(structure, 1):
            if not isinstance(child, list):
                return
            yield from _walk_part(child, f"{above}{place}")
    else:
        yield from _walk_part(structure, f"{above}1")


def _walk_part(part: list[Said], number: str) -> Iterator[tuple[str, list[Said]]]:
    if isinstance(part[0], list):
        yield from walk(part, f"{number}.")
        return
    yield number, part
    if kind_of(part) == "message/rfc822":
        inner = part[8]
        assert isinstance(inner, list)
        yield from walk(inner, f"{number}.")


def kind_of(part: list[Said]) -> str:
    assert isinstance(part[0], bytes)
    assert isinstance(part[1], bytes)
    return f"{part[0].decode()}/{part[1].decode()}".lower()


def value(client: Client, uid: str, item: str) -> bytes:
    said = read_said(fetch(client, uid, item))
    assert isinstance(said, bytes), (item, said)
    return said


def fetch(client: Client, uid: str, item: str) -> bytes:
    """Return the value of one item as it was written."""
    lines = client.ask(f"UID FETCH {uid} ({item})")
    assert lines[-1].startswith(b"t OK"), lines
    told = b"\r\n".join(lines[:-1])
    name = re.sub(r"<(\d+)\.\d+>", r"<\1>", item.replace(".PEEK", ""))
    return told[told.index(f" {name} ".encode()) + len(name) + 2 :].removesuffix(b")")
