"""The command line of commands that answer at once, without click, and how a wrong one ends (J-12)."""

import argparse
import os
from pathlib import Path
from typing import NoReturn

from paperpath.commands.exits import Exit
from paperpath.commands.plain_configuration import DEFAULT_FILE, VARIABLE, find_configuration


class PlainParser(argparse.ArgumentParser):
    """Describes options; every such command can be told which configuration to use."""

    def __init__(self, program: str, description: str, example: str) -> None:
        """Begin with the options that all of them have."""
        super().__init__(
            prog=program, description=description, epilog=f"Example: {example}", allow_abbrev=False
        )
        self.add_argument(
            "-C",
            "--config",
            type=Path,
            metavar="FILE",
            help=f"the configuration; otherwise the one that {VARIABLE} names, or {DEFAULT_FILE}",
        )

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the command line, and exit."""
        self.exit(Exit.USAGE, f"{self.prog}: {message}; {self.prog} --help says more\n")


def choose_configuration(asked: Path | None) -> Path:
    """Return the file that was asked for, or the one that is found without asking."""
    return asked or find_configuration(os.environ)
