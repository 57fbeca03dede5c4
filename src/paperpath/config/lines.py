"""On which line each key of a TOML document stands, and from where to where, which `tomllib` does not tell.

Called by the loader and the edits, with text that `tomllib` has read already: the scan knows TOML's shape
and leaves its rules to `tomllib`. A location is the keys and array indexes that lead to a value. Tables are
on the line of their header, elements of arrays and keys of inline tables on their own line.
"""

import re
import tomllib
from bisect import bisect_left
from dataclasses import dataclass, field

Location = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})'  # up to two quotes may stand before the closing three
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'",
    re.DOTALL,
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]+")  # a date and its time may have a space between them


def scan_lines(text: str) -> dict[Location, int]:
    """Return the line, counted from 1, of every key, table and array element in valid TOML."""
    scan = _Scan(text)
    scan.read_document()
    return scan.lines


@dataclass(frozen=True, slots=True)
class Spans:
    """From which character to which, the last one excluded.

    `values` has what stands behind keys, and the elements of arrays. `tables` has tables with headers, in
    the order of the text, each from its header to the end of its last value; the outermost is there too.
    """

    values: dict[Location, tuple[int, int]] = field(default_factory=dict)
    tables: dict[Location, tuple[int, int]] = field(default_factory=dict)


def scan_spans(text: str) -> Spans:
    """Return where each value and each table stands in valid TOML."""
    scan = _Scan(text)
    scan.read_document()
    return scan.spans


def find_line(lines: dict[Location, int], location: Location) -> int:
    """Return the line of a location, or of the nearest table or key around it; line 1 is the outermost."""
    while location and location not in lines:
        location = location[:-1]
    return lines.get(location, 1)


class _Scan:
    """A place in the text, and what was found on the way there."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Location, int] = {}
        self.spans = Spans(tables={(): (0, 0)})
        self._text = text
        self._at = 0
        self._line_ends = [match.start() for match in re.finditer("\n", text)]
        self._tables_in_array: dict[Location, int] = {}

    def read_document(self) -> None:
        table: Location = ()
        while not self._at_end():
            line, start = self._line(), self._at
            if self._take("[["):
                table = self._open_array_table(self._read_key(), line)
                self._take("]]")
            elif self._take("["):
                table = self._open_table(self._read_key(), line)
                self._take("]")
            else:
                self._read_pair(table)
                start, _ = self.spans.tables[table]
            self.spans.tables[table] = start, self._at

    def _open_array_table(self, key: tuple[str, ...], line: int) -> Location:
        array = (*self._open_tables(key[:-1], line), key[-1])
        self.lines.setdefault(array, line)
        index = self._tables_in_array.get(array, 0)
        self._tables_in_array[array] = index + 1
        self.lines[*array, index] = line
        return (*array, index)

    def _open_table(self, key: tuple[str, ...], line: int) -> Location:
        table = self._open_tables(key, line)
        self.lines[table] = line  # its own header tells more than one of [table.inner] further up
        return table

    def _open_tables(self, key: tuple[str, ...], line: int) -> Location:
        """Walk down a header's key; in an array of tables, to the last one so far."""
        location: Location = ()
        for part in key:
            location = (*location, part)
            self.lines.setdefault(location, line)
            if location in self._tables_in_array:
                location = (*location, self._tables_in_array[location] - 1)
        return location

    def _read_pair(self, table: Location) -> None:
        line = self._line()
        location = table
        for part in self._read_key():
            location = (*location, part)
            self.lines.setdefault(location, line)
        self._take("=")
        self._read_value(location)

    def _read_key(self) -> tuple[str, ...]:
        parts = [self._read_key_part()]
        while self._take("."):
            parts.append(self._read_key_part())
        return tuple(parts)

    def _read_key_part(self) -> str:
        self._skip_blank()
        if bare := self._skip(_BARE_KEY):
            return bare
        key: str = tomllib.loads(f"key = {self._skip(_STRING)}")["key"]
        return key

    def _read_value(self, location: Location) -> None:
        self._skip_blank()
        start = self._at
        self._pass_value(location)
        self.spans.values[location] = start, self._at

    def _pass_value(self, location: Location) -> None:
        if self._take("["):
            index = 0
            while not self._take("]"):
                self.lines[*location, index] = self._line()
                self._read_value((*location, index))
                self._take(",")
                index += 1
        elif self._take("{"):
            while not self._take("}"):
                self._read_pair(location)
                self._take(",")
        elif not self._skip(_STRING):
            blank = len(scalar := self._skip(_SCALAR)) - len(scalar.rstrip())
            self._at -= blank

    def _at_end(self) -> bool:
        self._skip_blank()
        return self._at == len(self._text)

    def _line(self) -> int:
        return bisect_left(self._line_ends, self._at) + 1

    def _take(self, mark: str) -> bool:
        """Step over a mark and the blank before it; over the blank alone if the mark is not there."""
        self._skip_blank()
        if not self._text.startswith(mark, self._at):
            return False
        self._at += len(mark)
        return True

    def _skip_blank(self) -> None:
        self._skip(_BLANK)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match[0]
