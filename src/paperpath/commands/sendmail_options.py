"""The options of sendmail, in all the ways that programs write them (requirements J-5, J-7, J-8, J-10).

Pure: words in, `Options` out. Letters may be clustered and arguments attached; the first word that is no
option ends them, and so does `--`. A letter that is listed here and that nothing else looks at is accepted,
since programs give it, and means nothing to us; every other letter is a mistake of the caller.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import NoReturn

from paperpath.commands.exits import Exit, ExitError

_USAGE = "usage: sendmail [-ti] [-f SENDER] [-F NAME] [RECIPIENT...]"

_FLAGS = frozenset("GIUimntvx")
_WITH_ARGUMENT = frozenset("ABCFLNORVXbefhopr")  # the rest of the word, else the next one
_WITH_REST = frozenset("dq")  # the rest of the word alone, which may be nothing

_NO_DAEMON = "takes no mail from the network; smtprd and smtpsd do"
_NO_MODES = dict.fromkeys("dDl", _NO_DAEMON) | {"v": "verifies no addresses; to send is to know"}

_CONDITIONS = frozenset({"SUCCESS", "FAILURE", "DELAY"})
_NO_XTEXT = re.compile(r"[^!-*,-<>-~]")  # RFC 3461 §4: these are written as their number
_MOST_ENVID_OCTETS = 100  # RFC 3461 §4.4


class Mode(Enum):
    """What is to be done, by the letter behind -b."""

    DELIVER = "m"
    DIALOGUE = "s"
    LIST_QUEUE = "p"
    READ_ALIASES = "i"
    FLUSH = "q"  # no letter of -b: it is an option of its own


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller wants. Texts are as they were typed; `sender` is empty for nobody, `None` if not given.

    `is_quiet`: failures are told by the exit code alone (J-11). `notify`, `ret`, `envid` and `body` are
    parameters of SMTP, ready to be said; empty where not given.
    """

    mode: Mode = Mode.DELIVER
    recipients: tuple[str, ...] = ()
    reads_recipients: bool = False
    ignores_dots: bool = False
    sender: str | None = None
    full_name: str | None = None
    is_quiet: bool = False
    notify: str = ""
    ret: str = ""
    envid: str = ""
    body: str = ""
    international: bool = False


def parse_options(words: Sequence[str]) -> Options:
    """Read the words behind the command's name. Raises: ExitError."""
    options = Options()
    rest = list(reversed(words))  # the next one is the last
    while rest and rest[-1].startswith("-") and rest[-1] != "-":
        word = rest.pop()
        if word == "--":
            break
        for letter, value in _split(word, rest):
            if letter in _SETTERS:
                options = _SETTERS[letter](options, value)
    return replace(options, recipients=tuple(reversed(rest)))


def _split(word: str, rest: list[str]) -> Iterator[tuple[str, str]]:
    """Give each option of a word with its argument, which may be the next word."""
    letters = word[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter in _FLAGS:
            yield letter, ""
        elif letter in _WITH_REST:
            yield letter, letters
            return
        elif letter not in _WITH_ARGUMENT:
            _refuse(f"-{letter} is no option of sendmail")
        elif letters or rest:
            yield letter, letters or rest.pop()
            return
        else:
            _refuse(f"-{letter} needs an argument")


def _refuse(message: str) -> NoReturn:
    printable = message if message.isprintable() else ascii(message)
    raise ExitError(Exit.USAGE, f"{printable}\n{_USAGE}")


def _set_mode(options: Options, value: str) -> Options:
    if value in _NO_MODES:
        code = Exit.REFUSED if value == "v" else Exit.USAGE
        raise ExitError(code, f"-b{value}: sendmail {_NO_MODES[value]}")
    if value == Mode.FLUSH.value or value not in {mode.value for mode in Mode}:
        _refuse(f"-b{value} is no mode of sendmail")
    return replace(options, mode=Mode(value))


def _set_old_option(options: Options, value: str) -> Options:
    """Take -o: a letter, and its value behind it."""
    if value.startswith("i"):
        return replace(options, ignores_dots=True)
    return _set_errors(options, value[1:]) if value.startswith("e") else options


def _set_named_option(options: Options, value: str) -> Options:
    """Take -O: a name and a value; a switch without one is on, as it is by t, y and 1."""
    name, _, setting = value.partition("=")
    if name.strip().lower() == "ignoredots":
        return replace(options, ignores_dots=setting.strip()[:1].lower() in ("", "t", "y", "1"))
    return options


def _set_errors(options: Options, value: str) -> Options:
    """Take -e: quietly, or by one of the ways that all come to a message and a code here."""
    return replace(options, is_quiet=value == "q")


def _set_notify(options: Options, value: str) -> Options:
    words = value.upper().split(",")
    if words != ["NEVER"] and not (_CONDITIONS.issuperset(words) and len(set(words)) == len(words)):
        _refuse(f"-N {value}: expected never, or some of success,failure,delay")
    return replace(options, notify=",".join(words))


def _set_ret(options: Options, value: str) -> Options:
    if value.upper() not in ("FULL", "HDRS"):
        _refuse(f"-R {value}: expected full or hdrs")
    return replace(options, ret=value.upper())


def _set_envid(options: Options, value: str) -> Options:
    if not (value and value.isascii() and value.isprintable()):
        raise ExitError(Exit.BAD_DATA, f"-V {value!a}: expected printable characters of ASCII")
    envid = _NO_XTEXT.sub(lambda found: f"+{ord(found[0]):02X}", value)
    if len(envid) > _MOST_ENVID_OCTETS:
        raise ExitError(Exit.BAD_DATA, f"-V: expected at most {_MOST_ENVID_OCTETS} octets of xtext")
    return replace(options, envid=envid)


def _set_body(options: Options, value: str) -> Options:
    if value.upper() not in ("7BIT", "8BITMIME"):
        _refuse(f"-B {value}: expected 7BIT or 8BITMIME")
    return replace(options, body=value.upper())


def _set_full_name(options: Options, value: str) -> Options:
    if any(mark in value for mark in "\r\n"):
        raise ExitError(Exit.BAD_DATA, "-F: a name has one line")
    return replace(options, full_name=value)


def _set_sender(options: Options, value: str) -> Options:
    return replace(options, sender="" if value == "<>" else value)


_SETTERS: dict[str, Callable[[Options, str], Options]] = {
    "t": lambda options, _: replace(options, reads_recipients=True),
    "i": lambda options, _: replace(options, ignores_dots=True),
    "U": lambda options, _: replace(options, international=True),
    "I": lambda options, _: replace(options, mode=Mode.READ_ALIASES),
    "q": lambda options, _: replace(options, mode=Mode.FLUSH),
    "f": _set_sender,
    "r": _set_sender,
    "F": _set_full_name,
    "N": _set_notify,
    "R": _set_ret,
    "V": _set_envid,
    "B": _set_body,
    "b": _set_mode,
    "o": _set_old_option,
    "O": _set_named_option,
    "e": _set_errors,
}
