"""sendmail, as programs call it: hands a message to smtpsd by SMTP, and keeps no queue itself (J-1).

Anybody may call it, with no more rights than their own. It exits with 0 only when smtpsd has the message on
the disk; else it says why on standard error, unless it is told to be quiet. By another name it is mailq or
newaliases.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from paperpath.commands.exits import Exit, describe_failure
from paperpath.commands.plain_configuration import find_configuration, load_plain
from paperpath.commands.plain_process import prepare_process, read_word, tell
from paperpath.commands.sendmail_delivery import deliver
from paperpath.commands.sendmail_options import Mode, Options, parse_options


def main() -> NoReturn:
    """Do what the name and the words behind it say, and exit."""
    prepare_process()
    name, words = Path(sys.argv[0]).name, [read_word(word) for word in sys.argv[1:]]
    raise SystemExit(_run_other(name, words) if name in ("mailq", "newaliases") else run(words, os.environ))


def run(words: Sequence[str], environment: Mapping[str, str]) -> Exit:
    """Do what the words say; return what to exit with, having said on standard error what is wrong."""
    options = Options()
    try:
        options = parse_options(words)
        return _carry_out(options, environment)
    except Exception as error:  # noqa: BLE001 - who calls is owed a code that says whose fault it was
        failure = describe_failure(error)
    if not options.is_quiet:
        tell("sendmail", str(failure))
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
