"""`newaliases`: checks the aliases file and has the post office read it at once (requirement J-15).

Also what `sendmail -bi` does. There is no second file to be rebuilt: the programs read the text, and notice
by themselves when it was replaced. A file with mistakes leaves in force what was read before.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from paperpath.commands.exits import Exit, ExitError
from paperpath.commands.plain_configuration import load_plain
from paperpath.commands.plain_options import PlainParser, choose_configuration
from paperpath.config.places import CONTROL_NAME
from paperpath.routing.aliases_file import AliasesError, load_aliases
from paperpath.service.control import ask
from paperpath.service.errors import ServiceError
from paperpath.service.printable import format_text

_PROGRAM = "smtppd"
_READ_S = 60.0  # the file may have a million entries


def make_parser() -> PlainParser:
    """Describe the command line."""
    parser = PlainParser("newaliases", "Check the aliases file, and put it in force.", "newaliases")
    parser.add_argument("-v", action="store_true", help="ignored: other newaliases have it")
    return parser


def main() -> NoReturn:
    """Run the command."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> Exit:
    """Do it; return the exit code, having said on standard error what is wrong, if anything is."""
    asked = make_parser().parse_args(arguments)
    try:
        told = renew_aliases(choose_configuration(asked.config))
    except ExitError as error:
        for line in str(error).split("\n"):
            sys.stderr.write(f"newaliases: {format_text(line)}\n")
        return error.exit_code
    sys.stdout.write(f"{format_text(told)}\n")
    return Exit.TAKEN


def renew_aliases(file: Path) -> str:
    """Check the aliases and put them in force; return what came of it.

    Raises: ExitError, with a line for each mistake; then the old ones stay in force.
    """
    configuration = load_plain(file)
    aliases = configuration.aliases
    if aliases is None:
        raise ExitError(Exit.CONFIGURATION, f"{file}: post_office.aliases: no aliases file is named")
    try:
        count = sum(1 for _ in load_aliases(aliases))
    except AliasesError as error:
        has_lines = any(problem.line is not None for problem in error.problems)
        raise ExitError(Exit.BAD_DATA if has_lines else Exit.CONFIGURATION, str(error)) from error
    try:
        answer = ask(configuration.run_folder / CONTROL_NAME, _PROGRAM, "aliases", _READ_S)
    except ServiceError as error:
        if error.exit_code == os.EX_UNAVAILABLE:
            return f"{aliases}: {count} aliases; {error}, they are in force when it starts"
        raise ExitError(Exit(error.exit_code), str(error)) from error
    return f"{aliases}: {answer['aliases']} aliases in force"


if __name__ == "__main__":
    main()
