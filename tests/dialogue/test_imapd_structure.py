"""BODYSTRUCTURE and BODY[n] of messages that are hard to understand: they agree (requirement K-14).

A message is put into a mailbox, its BODYSTRUCTURE is read, and each part of it is asked for by the number
that RFC 9051 §6.4.5.1 gives it. `numbers` are what they must be.
"""

import re
from collections.abc import Iterator

import pytest

from tests.support.imap_desk import Client, open_house
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
    with open_house(tmp_path_factory.mktemp("structure")) as house:
        client = house.enter()
        client.ask("SELECT INBOX")
        yield client


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
        envelope = part[7]
        assert isinstance(envelope, list)
        assert b"Subject: %s\r\n" % envelope[1] in header
        assert part[9] == octets.count(b"\n")
    elif kind.startswith("text/"):
        assert part[7] == octets.count(b"\n")
        assert fetch(client, uid, f"BODY.PEEK[{number}.HEADER]") == b"NIL"


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
