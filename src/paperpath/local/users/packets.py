"""What smtpld and its helper say to each other about one delivery to a user: pure.

Each packet is kept whole by the kernel (SOCK_SEQPACKET of unix(7)). smtpld sends a request, and is told to go
on, or why not. Then it sends the content in pieces, and the end, without which nothing is delivered: who dies
half-way has not sent it. The last packet is the answer. Of what smtpld says nothing is believed (requirement
F-4): a request has its bounds, and says neither where mail goes nor as whom.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from paperpath.accounts.users import is_login_name
from paperpath.mail.address import AddressError, Mailbox, format_mailbox, parse_mailbox
from paperpath.mail.reply import Reply, parse_shown_reply

MOST_OCTETS = 64 * 1024  # of a piece
MOST_WORDS = 8192  # octets of a request or an answer
GO = b"go"
END = b"."
_PIECE = b"+"
_LAST_US = 2**55  # what a clock may say for the next thousand years
_NAME = re.compile(r"[0-9]+\.[!-.0-~]{1,200}")


@dataclass(frozen=True, slots=True)
class Request:
    """One delivery: to whom, under which name; `tried`: an earlier attempt may have left it there.

    Who sent the message, and when it came, is for what an mbox says of it.
    """

    user: str
    name: str
    tried: bool
    sender: Mailbox | None
    arrived_us: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a delivery. `uncertain`: it may be there all the same.

    `is_stuck`: something else than this message is in the way, so another one would fare no better now.
    """

    reply: Reply
    uncertain: bool = False
    is_stuck: bool = False


def format_request(request: Request) -> bytes:
    """Write a request."""
    return json.dumps(
        {
            "user": request.user,
            "name": request.name,
            "tried": request.tried,
            "sender": "" if request.sender is None else format_mailbox(request.sender),
            "arrived_us": request.arrived_us,
        }
    ).encode()


def parse_request(octets: bytes) -> Request | None:
    """Read a request; `None` for what is none."""
    match _parse(octets):
        case {
            "user": str(user),
            "name": str(name),
            "tried": bool(tried),
            "sender": str(sender),
            "arrived_us": int(arrived_us),
        } if _is_safe(user, name, arrived_us):
            return Request(user, name, tried, _read_sender(sender), arrived_us)
    return None


def format_answer(answer: Answer) -> bytes:
    """Write an answer."""
    return json.dumps(
        {"reply": str(answer.reply), "uncertain": answer.uncertain, "stuck": answer.is_stuck}
    ).encode()


def parse_answer(octets: bytes) -> Answer | None:
    """Read an answer; `None` for what is none."""
    match _parse(octets):
        case {"reply": str(shown), "uncertain": bool(uncertain), "stuck": bool(stuck)}:
            reply = parse_shown_reply(shown)
            return None if reply is None else Answer(reply, uncertain, stuck)
    return None


def split_content(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Give the packets of a content, the end not among them."""
    for chunk in chunks:
        for begin in range(0, len(chunk), MOST_OCTETS):
            yield _PIECE + chunk[begin : begin + MOST_OCTETS]


def is_piece(packet: bytes) -> bool:
    """Tell whether a packet is a piece of a content."""
    return packet.startswith(_PIECE)


def read_piece(packet: bytes) -> bytes:
    """Return the octets of a piece."""
    return packet.removeprefix(_PIECE)


def _is_safe(user: str, name: str, arrived_us: int) -> bool:
    return is_login_name(user) and _NAME.fullmatch(name) is not None and 0 <= arrived_us <= _LAST_US


def _read_sender(text: str) -> Mailbox | None:
    try:
        return parse_mailbox(text)
    except AddressError:
        return None


def _parse(octets: bytes) -> object:
    try:
        return json.loads(octets) if len(octets) <= MOST_WORDS else None
    except (ValueError, RecursionError):
        return None
