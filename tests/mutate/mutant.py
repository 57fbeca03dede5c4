"""A mutant: one line of the product as it is and as it must not be, and the test that has to see that.

Made in promises.py and requirements.py, tried by runner.py. A line is named by its text without the blanks
around it, and must stand in its file, or in one function of it, exactly once: so a mutant outlives everything
but a change of its line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FUNCTION = re.compile(r" *(?:async )?def (\w+)")
ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"


class GoneError(Exception):
    """The line of a mutant does not stand in its file exactly once: the mutant must follow the code."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """`proves`: a promise (`P4`), or a row of what is most often done wrong (`M16`).

    `file` is below `src/paperpath`, `test` is what pytest calls it, and `why` says what the changed line
    would do to somebody's mail.
    """

    proves: str
    file: str
    line: str
    becomes: str
    test: str
    why: str
    within: str = ""
    """The function, where others in the file have the same line."""

    @property
    def test_file(self) -> Path:
        """Where the test stands."""
        return ROOT / self.test.partition("::")[0]

    @property
    def test_function(self) -> str:
        """The name of the test, without its parameters."""
        return self.test.partition("::")[2].partition("[")[0]

    def apply(self, source: Path) -> None:
        """Change the line in a tree like `src`. Raises: GoneError."""
        path = source / "paperpath" / self.file
        path.write_text(self.change(path.read_text(encoding="utf-8")), encoding="utf-8")

    def change(self, text: str) -> str:
        """Return the text of the file with the line changed. Raises: GoneError."""
        lines = text.split("\n")
        places = [
            index
            for index, (function, line) in enumerate(zip(_name_functions(lines), lines, strict=True))
            if line.strip() == self.line and self.within in ("", function)
        ]
        if len(places) != 1:
            where = f"{self.within} of {self.file}" if self.within else self.file
            raise GoneError(f"{where} has this line {len(places)} times: {self.line}")
        line = lines[places[0]]
        lines[places[0]] = line.replace(self.line, self.becomes)
        return "\n".join(lines)


def _name_functions(lines: list[str]) -> Iterator[str]:
    """Give for each line the function that began last."""
    name = ""
    for line in lines:
        if match := _FUNCTION.match(line):
            name = match[1]
        yield name


def choose(mutants: tuple[Mutant, ...], only: list[str]) -> list[Mutant]:
    """Return the mutants of some promises or requirements, or in some files; of all where none is named."""
    return [mutant for mutant in mutants if not only or mutant.proves in only or mutant.file in only]
