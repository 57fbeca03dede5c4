"""The process of a command that takes a message, as sendmail and mailto do: words, files, signals.

Such a command is called from anywhere: by cron in the locale C, with standard files closed, by programs that
end it in the middle.
"""

import os
import signal
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from paperpath.commands.exits import Exit, ExitError

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def prepare_process() -> None:
    """See to standard files and signals, before anything else is done."""
    _occupy_standard_files()
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, _interrupt)


def read_word(word: str) -> str:
    """Read as UTF-8 what means nothing in the caller's locale, which may be that of cron: C."""
    with suppress(UnicodeDecodeError):
        if not word.isprintable():
            return os.fsencode(word).decode("utf-8")
    return word


def tell(program: str, message: str) -> None:
    """Say something on standard error, where somebody may listen."""
    lines = "".join(f"{program}: {line}\n" for line in message.splitlines())
    with suppress(OSError):
        os.write(2, lines.encode("utf-8", "replace"))


def _occupy_standard_files() -> None:
    """Put something where a standard file is closed, or a socket of ours would be taken for it.

    What stands for the input cannot be read: it is no empty message.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_WRONLY)  # it gets the lowest number that is free


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """End what is under way as a failure does: told, and with nothing half handed over."""
    for each in _SIGNALS:  # the next one ends us at once
        signal.signal(each, signal.SIG_DFL)
    raise ExitError(Exit.LATER, f"ended by {signal.Signals(number).name}")
