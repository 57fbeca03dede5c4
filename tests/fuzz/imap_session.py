"""A session on the IMAP core, cut anywhere, and what must hold of it whatever comes.

Used by the property tests and by the fuzz target.
"""

import re

from paperpath.imap import events
from paperpath.imap.login import MOST_ANSWER_OCTETS
from paperpath.imap.server import ServerConnection
from paperpath.imap.settings import Settings
from paperpath.imap.states import State
from tests.fuzz.session import segments
from tests.support.imap_core import Heard, advance

_ANSWER = re.compile(rb"([^ ]+) (OK|NO|BAD|BYE) (\[[^\]]+\] )?[ -~]+")
_OTHER = re.compile(rb"\+ [ -~]*|\* (CAPABILITY|ID|ENABLED)[ -~]*")


def perform(wire: bytes, settings: Settings, cut: int = 0) -> Heard:
    """Play a wire, cut as `segments` says."""
    core = ServerConnection(settings, encrypted=True)
    heard = Heard(core.octets_to_send())
    for segment in segments(wire, cut):
        core.receive(segment)
        advance(core, heard)
        check_memory(core, settings)
    heard.state = core.state
    check_answers(wire, heard)
    check_messages(heard)
    return heard


def check_memory(core: ServerConnection, settings: Settings) -> None:
    """Hold of what was read no more than a command, and of what was not no more than the end of it."""
    assert not core.awaits_driver
    held = core.pending_octets
    assembly = core._reader.assembly
    if assembly is not None:
        held += sum(map(len, assembly._text)) + sum(map(len, assembly._literals))
    most = MOST_ANSWER_OCTETS if core.state is State.LOGIN else settings.command_octets
    assert held <= most + 2
    if core.state in {State.CLOSED, State.MESSAGE}:
        assert core.pending_octets == 0


def check_answers(wire: bytes, heard: Heard) -> None:
    """Every line is one that a client can read, and every tag is one that it said."""
    lines = heard.lines
    for line in lines:
        answer = _ANSWER.fullmatch(line)
        assert answer or _OTHER.fullmatch(line), line
        assert answer is None or answer[1] == b"*" or answer[1] + b" " in wire
    closed = [line for line in lines if line.startswith(b"* BYE")]
    assert len(closed) <= 1
    ended = [event for event in heard.told if isinstance(event, events.LoggedOut)]
    assert len(ended) == len(closed) == (heard.state is State.CLOSED)
    assert not ended or heard.told[-1] is ended[0]


def check_messages(heard: Heard) -> None:
    """Messages come whole, between their announcement and their end."""
    announced: events.MessageAnnounced | None = None
    received = b""
    for event in heard.told:
        match event:
            case events.MessageAnnounced():
                announced, received = event, b""
            case events.MessageReceived(octets):
                received += octets
            case events.MessageEnded():
                assert announced is not None
                assert len(received) == announced.size
