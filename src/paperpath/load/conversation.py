"""What the source says over one connection after another, and what it makes of the replies.

Sans-IO: `converse` gives a step, and is sent what came of it. A driver carries steps out (`connection.py`);
it throws LostError in where a connection cannot be had or is lost. One conversation lasts as long as the
load.
"""

import base64
from collections.abc import Callable, Generator
from dataclasses import dataclass

from paperpath.load.pace import Pace
from paperpath.load.plan import Load, Protocol, Security
from paperpath.load.steps import Connect, Heard, LostError, Rest, Say, StartTls, Step, Talk
from paperpath.load.tally import Tally
from paperpath.load.writing import Writing
from paperpath.mail.reply import Reply

_RESET, _QUIT, _NOTHING = Say(b"RSET\r\n"), Say(b"QUIT\r\n"), Say(b".\r\n")
_CLOSING = 421


@dataclass(frozen=True, slots=True)
class Common:
    """What all conversations of a load share; the clock is in microseconds."""

    load: Load
    writing: Writing
    pace: Pace
    tally: Tally
    clock: Callable[[], int]


def converse(common: Common) -> Talk:
    """Send messages until there are no more."""
    while (number := (yield from _next_number(common))) is not None:
        unsettled = True  # what becomes of this message
        try:
            yield from _open(common)
            sent, stays = 0, True
            while stays and number is not None:
                stays = yield from _transact(common, number)
                sent, unsettled = sent + 1, False
                if sent == common.load.per_connection:
                    break
                if stays:
                    number = yield from _next_number(common)
                    unsettled = number is not None
            if stays:
                yield _QUIT
        except LostError as error:
            common.tally.fail(str(error), with_message=unsettled)


def _next_number(common: Common) -> Generator[Step, Heard, int | None]:
    """Wait for a message to be due; `None` where none is left."""
    pace, clock = common.pace, common.clock
    if common.tally.is_hopeless:
        pace.stop()
    while (number := pace.take(now_us := clock())) is None:
        if pace.is_over(now_us):
            return None
        yield Rest()
    return number


def _open(common: Common) -> Talk:
    """Come as far as MAIL. Raises: LostError."""
    load, hello = common.load, common.writing.hello
    if load.security is Security.AT_ONCE:
        yield Connect(0)
        yield from _expect(StartTls(1))
    else:
        yield from _expect(Connect())
    yield from _expect(hello)
    if load.security is Security.STARTTLS:
        yield from _expect(Say(b"STARTTLS\r\n"))
        yield StartTls()
        yield from _expect(hello)
    if load.user:
        secret = base64.b64encode(b"\0".join((b"", load.user.encode(), load.password.encode())))
        yield from _expect(Say(b"AUTH PLAIN %b\r\n" % secret))


def _expect(step: Step) -> Talk:
    """Take a step to which the server must agree. Raises: LostError, with what it said, where it does not."""
    (reply,) = (yield step).replies
    if not _is_taken(reply):
        raise LostError(str(reply))


def _transact(common: Common, number: int) -> Generator[Step, Heard, bool]:
    """Send one message, and note what becomes of it; tell whether the server stays. Raises: LostError."""
    replies: list[Reply] = []
    for say in common.writing.envelope(number):
        replies += (yield say).replies
    recipients = sum(map(_is_taken, replies[1:-1]))
    if replies[-1].code == 354:
        if recipients:
            return (yield from _send_content(common, number, recipients))
        replies += (yield _NOTHING).replies  # it would take a message for nobody
    return (yield from _refuse(common, replies))


def _send_content(common: Common, number: int, recipients: int) -> Generator[Step, Heard, bool]:
    is_lmtp = common.load.protocol is Protocol.LMTP
    octets = common.writing.content(number, common.clock())
    heard = yield Say(octets, recipients if is_lmtp else 1)
    taken = sum(map(_is_taken, heard.replies))
    if not taken:
        return (yield from _refuse(common, heard.replies))
    common.tally.accept(
        heard.now_us,
        heard.now_us - heard.said_us,
        recipients=taken if is_lmtp else recipients,
        octets=len(octets) - len(_NOTHING.octets),
    )
    return True


def _refuse(common: Common, replies: list[Reply]) -> Generator[Step, Heard, bool]:
    """Note why a message was not taken, and forget the transaction."""
    reply = next((reply for reply in replies if not reply.is_positive), replies[-1])
    common.tally.refuse(str(reply))
    if reply.code == _CLOSING:
        return False
    yield _RESET
    return True


def _is_taken(reply: Reply) -> bool:
    return reply.code // 100 == 2
