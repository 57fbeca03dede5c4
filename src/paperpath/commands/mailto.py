"""mailto, as people and scripts call it: sends a text without any program of ours running (J-16 to J-20).

Anybody may call it who may write into the drop directory, with no more rights than their own. It exits with 0
only when the message is on the disk; smtppd takes it from there, when it runs. Else it says why on standard
error.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from paperpath.commands.exits import Exit, describe_failure
from paperpath.commands.mailto_delivery import deliver
from paperpath.commands.mailto_options import HELP, parse_options
from paperpath.commands.plain_process import prepare_process, tell

_PROGRAM = "mailto"
_STDOUT = 1


def main() -> NoReturn:
    """Do what the words behind the command's name say, and exit."""
    prepare_process()
    raise SystemExit(run(sys.argv[1:], os.environ))


def run(words: Sequence[str], environment: Mapping[str, str]) -> Exit:
    """Do what the words say; return what to exit with, having said on standard error what is wrong."""
    try:
        options = parse_options(words, environment)
        if options.wants_help:
            os.write(_STDOUT, HELP.encode())
            return Exit.TAKEN
        done = deliver(options, environment)
    except Exception as error:  # noqa: BLE001 - who calls is owed a code that says whose fault it was
        failure = describe_failure(error)
        tell(_PROGRAM, str(failure))
        return failure.exit_code
    if options.is_verbose:
        tell(_PROGRAM, done)
    return Exit.TAKEN
