"""What a failing sink does at each stage of a dialogue, read from the local part of an address: pure.

Called by the sink's dialogue. The word before the first "." or "+" of a local part is a script such as
`421-at-data` or `lies-two-replies`; what stands behind it makes addresses distinct. `play` says what then
goes out instead of the reply that would be due. docs/sink.md lists the words.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from random import Random

from paperpath.mail.reply import Reply, make_reply


class Stage(Enum):
    """Where in a dialogue something is done."""

    GREETING = "greeting"
    EHLO = "ehlo"  # or HELO
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"  # or the first chunk
    CONTENT = "content"  # when some of it has come
    DOT = "dot"  # or the last chunk
    TAKEN = "after dot"  # the message is kept and counted, whatever is said then
    IDLE = "idle"  # after the reply that took it
    RSET = "rset"
    QUIT = "quit"

    __hash__ = object.__hash__  # members are compared by identity; Enum's own hash is Python, once a look-up


class Kind(Enum):
    """What is done there."""

    CODE = "code"
    DISCONNECT = "disconnect"
    RESET = "reset"
    STALL = "stall"
    SLOW = "slow"
    MULTILINE = "multiline"
    TWO_REPLIES = "lies-two-replies"
    ENDLESS_REPLY = "lies-endless-reply"
    ENDLESS_LINE = "lies-endless-line"
    GARBAGE = "lies-garbage"
    MIXED_CODES = "lies-mixed-codes"
    BARE_CODE = "lies-bare-code"
    BARE_NEWLINE = "lies-bare-newline"
    DATA_FOR_NOBODY = "lies-354-without-recipients"
    TAKEN_FOR_NOBODY = "lies-250-without-recipients"

    __hash__ = object.__hash__


class Ending(Enum):
    """How a connection goes on behind what was said."""

    GO_ON = "go on"
    CLOSE = "close"
    RESET = "reset"  # at once, with a RST
    STALL = "stall"  # nothing is said any more
    DEAF = "deaf"  # nor read
    FLOOD = "flood"  # it is said over and over
    START_TLS = "start TLS"


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing to do at one stage. `word` is how it was asked for."""

    word: str
    kind: Kind
    stage: Stage
    code: int = 0
    pause_s: float = 0.0

    @property
    def lets_pass(self) -> bool:
        """Whether what was asked for is done nevertheless."""
        if self.kind is Kind.CODE:
            return self.code // 100 == (3 if self.stage is Stage.DATA else 2)
        return self.kind in _LETTING_PASS


@dataclass(frozen=True, slots=True)
class Act:
    """What goes out, after a pause, and how the connection goes on."""

    octets: bytes
    ending: Ending = Ending.GO_ON
    pause_s: float = 0.0


_LETTING_PASS = frozenset({Kind.SLOW, Kind.MULTILINE, Kind.TWO_REPLIES, Kind.BARE_CODE, Kind.BARE_NEWLINE})
FOR_NOBODY = frozenset({Kind.DATA_FOR_NOBODY, Kind.TAKEN_FOR_NOBODY})
_ENDINGS = {
    Kind.DISCONNECT: Ending.CLOSE,
    Kind.RESET: Ending.RESET,
    Kind.STALL: Ending.STALL,
    Kind.ENDLESS_REPLY: Ending.FLOOD,
    Kind.ENDLESS_LINE: Ending.FLOOD,
}
_SHAPES: dict[Kind, Callable[[Reply], bytes]] = {
    Kind.SLOW: lambda usual: usual.octets,
    Kind.MULTILINE: lambda usual: Reply(usual.code, usual.status, ("One", "Two", *usual.lines)).octets,
    Kind.TWO_REPLIES: lambda usual: usual.octets * 2,
    Kind.ENDLESS_REPLY: lambda usual: b"%d-And so on\r\n" % usual.code,
    Kind.ENDLESS_LINE: lambda usual: b"%d" % usual.code,
    Kind.GARBAGE: lambda usual: b"\x00\xff\xfe\x1b[2J no reply at all \x80\r\n",
    Kind.MIXED_CODES: lambda usual: b"%d-One thing\r\n550 And another\r\n" % usual.code,
    Kind.BARE_CODE: lambda usual: b"%d\r\n" % usual.code,
    Kind.BARE_NEWLINE: lambda usual: usual.octets.replace(b"\r\n", b"\n"),
    Kind.DATA_FOR_NOBODY: lambda usual: b"550 5.1.1 Nobody, and yet DATA will be taken\r\n",
    Kind.TAKEN_FOR_NOBODY: lambda usual: b"550 5.1.1 Nobody, and yet a message will be taken\r\n",
}
_ENDING_STAGES = frozenset({Stage.CONTENT, Stage.IDLE})  # whoever says something there closes behind it
_ALIASES = {"tempfail": "450", "permfail": "550"}
_STAGES = {stage.value: stage for stage in Stage if stage is not Stage.TAKEN}
_LIES = {kind.value: kind for kind in Kind if kind.value.startswith("lies-")}
_PLAIN_KINDS = {kind.value: kind for kind in (Kind.DISCONNECT, Kind.RESET, Kind.STALL, Kind.MULTILINE)}
_WORD = re.compile(r"(?P<what>.+?)(?:-(?:(?:at|to|in)-(?P<stage>[a-z]+)|(?P<taken>after-dot)))?", re.ASCII)
_SLOW = re.compile(r"slow-(\d{1,6})(s|ms)", re.ASCII)
_CODE = re.compile(r"(?:lies-)?([1-9]\d\d)", re.ASCII)

# What `lies` tells, one after the other, and what `random` chooses from.
LIES = (
    "lies-250-to-data",
    "lies-two-replies",
    "lies-garbage",
    "lies-mixed-codes",
    "lies-endless-reply",
    "lies-endless-line",
    "lies-bare-code",
    "lies-bare-newline",
    "lies-354-without-recipients",
    "lies-250-without-recipients",
)
_ANYWHERE = ("421", "tempfail", "permfail", "disconnect", "reset", "stall", "slow-100ms", "multiline")
_LIED_ANYWHERE = LIES[1:8]


def _at(stage: str, *more: str) -> tuple[str, ...]:
    return tuple(f"{word}-{stage}" for word in (*_ANYWHERE, *_LIED_ANYWHERE, *more))


WAYS: dict[Stage, tuple[str, ...]] = {
    Stage.GREETING: _at("at-greeting", "554"),
    Stage.EHLO: _at("at-ehlo", "502"),
    Stage.MAIL: _at("at-mail", "354"),
    Stage.RCPT: (
        *_at("at-rcpt", "452", "552", *LIES[-2:]),
        *_at("at-data", "250", "554"),
        *(f"{word}-at-content" for word in ("421", "552", "disconnect", "reset", "stall")),
        *_at("at-dot", "452", "552"),
        *_at("after-dot"),
        *(f"{word}-at-idle" for word in ("421", "disconnect", "reset")),
    ),
}


class Director:
    """Says what to do for an address. Holds the only chance and the only memory that scripts have."""

    def __init__(self, random: Random, probability: float, *, always: bool) -> None:
        """Take the source of chance; `always`: every address is as good as `random`."""
        self._random = random
        self._probability = probability
        self._always = always
        self._lies = 0

    def direct(self, local: str, stage: Stage) -> Deed | None:
        """Return what the local part of an address asks for; where it names no stage, at this one."""
        word = find_word(local)
        if word == "lies":
            word = LIES[self._lies % len(LIES)]
            self._lies += 1
        if word == "random":
            return self._throw(stage)
        return read_deed(word, stage) or (self._throw(stage) if self._always else None)

    def _throw(self, stage: Stage) -> Deed | None:
        if self._random.random() >= self._probability:
            return None
        return read_deed(self._random.choice(WAYS[stage]), stage)

    def direct_early(self, stage: Stage) -> Deed | None:
        """Return what to do where no address is known yet."""
        return self._throw(stage) if self._always else None


def find_word(local: str) -> str:
    """Return the script in a local part: what stands before the first "." or "+", in lower case."""
    return re.split("[.+]", local, maxsplit=1)[0].lower()


def read_deed(word: str, default: Stage) -> Deed | None:
    """Read a script; nothing where it is none, as in most addresses."""
    match = _WORD.fullmatch(word)
    if match is None:
        return None
    stage = _STAGES.get(match["stage"]) if match["stage"] else default
    if match["taken"]:
        stage = Stage.TAKEN
    what = _ALIASES.get(match["what"], match["what"])
    if stage is None:
        return None
    if kind := _PLAIN_KINDS.get(what) or _LIES.get(what):
        return Deed(word, kind, stage)
    if slow := _SLOW.fullmatch(what):
        return Deed(word, Kind.SLOW, stage, pause_s=int(slow[1]) / (1 if slow[2] == "s" else 1000))
    if code := _CODE.fullmatch(what):
        return Deed(word, Kind.CODE, stage, int(code[1]))
    return None


def play(deed: Deed, usual: Reply) -> Act:
    """Say what goes out in the place of the usual reply."""
    if deed.kind is Kind.CODE:
        ends = deed.code == 421 or deed.stage in _ENDING_STAGES  # RFC 5321 §3.8: 421 closes
        return Act(make_told(deed).octets, Ending.CLOSE if ends else Ending.GO_ON)
    ending = _ENDINGS.get(deed.kind, Ending.GO_ON)
    if ending is Ending.STALL and deed.stage is Stage.CONTENT:
        ending = Ending.DEAF
    shape = _SHAPES.get(deed.kind)
    if shape is None or (deed.kind is Kind.SLOW and deed.stage in _ENDING_STAGES):
        return Act(b"", ending, deed.pause_s)
    return Act(shape(usual), ending, deed.pause_s)


def make_told(deed: Deed) -> Reply:
    """Make the reply that a deed names by its code."""
    status = f"{deed.code // 100}.0.0" if deed.code // 100 in (2, 4, 5) else ""
    return make_reply(deed.code, status, f"As told: {deed.word}")
