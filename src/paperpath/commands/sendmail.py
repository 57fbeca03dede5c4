"""sendmail, as programs call it: hands a message to smtpsd by SMTP, and keeps no queue itself (J-1).

Anybody may call it, with no more rights than their own. It exits with 0 only when smtpsd has the message on
the disk; else it says why on standard error, unless it is told to be quiet. By another name it is mailq or
newaliases.
"""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from paperpath.commands.exits import Exit, ExitError
from paperpath.commands.plain_configuration import find_configuration, load_plain
from paperpath.commands.sendmail_delivery import deliver, describe_trouble
from paperpath.commands.sendmail_options import Mode, Options, parse_options

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main() -> NoReturn:
    """Do what the name and the words behind it say, and exit."""
    _occupy_standard_files()
    _catch_signals()
    name, words = Path(sys.argv[0]).name, [_read_text(word) for word in sys.argv[1:]]
    raise SystemExit(_run_other(name, words) if name in ("mailq", "newaliases") else run(words, os.environ))


def run(words: Sequence[str], environment: Mapping[str, str]) -> Exit:
    """Do what the words say; return what to exit with, having said on standard error what is wrong."""
    options = Options()
    try:
        options = parse_options(words)
        return _carry_out(options, environment)
    except ExitError as error:
        failure = error
    except OSError as error:
        failure = describe_trouble(error)
    except Exception as error:  # noqa: BLE001 - who calls is owed a code that says it was no fault of his
        failure = ExitError(Exit.INTERNAL, f"a mistake in Paperpath: {error!r}")
    if not options.is_quiet:
        _tell(str(failure))
    return failure.exit_code


def _carry_out(options: Options, environment: Mapping[str, str]) -> Exit:
    """Do what the options say. Raises: ExitError, OSError."""
    match options.mode:
        case Mode.DELIVER:
            deliver(options, environment)
        case Mode.DIALOGUE:
            _hold_dialogue(environment)
        case Mode.FLUSH:
            _flush(environment)
        case Mode.LIST_QUEUE:
            return _run_other("mailq", ())
        case Mode.READ_ALIASES:
            return _run_other("newaliases", ())
    return Exit.TAKEN


# What follows imports what most callers do not need, and none of them should wait for.


def _run_other(name: str, words: Sequence[str]) -> Exit:
    """Do what another command does; it says itself what is wrong."""
    if name == "mailq":
        from paperpath.commands import mailq

        return mailq.run(words)
    from paperpath.commands import newaliases

    return newaliases.run(words)


def _hold_dialogue(environment: Mapping[str, str]) -> None:
    """Pass SMTP on. Raises: ExitError."""
    from paperpath.commands.sendmail_dialogue import hold_dialogue

    hold_dialogue(load_plain(find_configuration(environment)))


def _flush(environment: Mapping[str, str]) -> None:
    """Have what the caller handed in tried at once; without smtppd, that comes with its start (J-10).

    Raises: ExitError.
    """
    from paperpath.config.places import ENQUIRIES_NAME
    from paperpath.service.asking import exchange
    from paperpath.service.errors import ServiceError

    folder = load_plain(find_configuration(environment)).run_folder
    with suppress(ServiceError):  # who is refused, or is one of too many, is told nothing
        exchange(folder, ENQUIRIES_NAME, "smtppd", {"command": "flush"})


# The process: its words, its files and its signals


def _read_text(word: str) -> str:
    """Read as UTF-8 what means nothing in the caller's locale, which may be that of cron: C."""
    with suppress(UnicodeDecodeError):
        if not word.isprintable():
            return os.fsencode(word).decode("utf-8")
    return word


def _occupy_standard_files() -> None:
    """Put something where a standard file is closed, or a socket of ours would be taken for it.

    What stands for the input cannot be read: it is no empty message.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_WRONLY)  # it gets the lowest number that is free


def _catch_signals() -> None:
    """Have signals end what is under way as a failure does: told, and with nothing half handed over."""
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    for each in _SIGNALS:  # the next one ends us at once
        signal.signal(each, signal.SIG_DFL)
    raise ExitError(Exit.LATER, f"ended by {signal.Signals(number).name}")


def _tell(message: str) -> None:
    with suppress(OSError):  # nobody listens
        os.write(
            2, "".join(f"sendmail: {line}\n" for line in message.splitlines()).encode("utf-8", "replace")
        )
