"""A TOML text changed in one place: whatever else stands in it stays as it is, comments and layout too.

Called by the edits of domains and keys, which see to it that the text means what it should afterwards. What
is added looks like what stands beside it.
"""

import json
import re
from collections.abc import Mapping

from paperpath.config.lines import Location, scan_spans

_INDENT = re.compile(r"[ \t]*")
_REST_OF_LINE = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\r?\n|$)")
_COMMA = re.compile(r"[ \t]*,")
_LATER_COMMA = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*,")
_BLANK_LINES = re.compile(r"(?:[ \t]*\r?\n)*")


def add_element(text: str, array: Location, element: str) -> str:
    """Add an element, written as TOML, to the end of an array that stands in the text."""
    spans = scan_spans(text)
    start, end = spans.values[array]
    last = _find_last(spans.values, array)
    if last is None:
        return f"{text[: start + 1]}{element}{text[start + 1 :]}"
    first, behind = last
    line = _line_start(text, first)
    if line <= start or not text[line:first].isspace():
        return f"{text[:behind]}, {element}{text[behind:]}"
    indent = text[line:first]  # it has a line of its own, and so has the new one
    comma = _COMMA.match(text, behind)
    comma_end = comma.end() if comma else behind
    rest = _REST_OF_LINE.match(text, comma_end)
    if rest is None or rest.end() > end:
        return f"{text[:behind]},{_newline(text)}{indent}{element}{text[behind:]}"
    added = f"{indent}{element}{',' if comma else ''}{_newline(text)}"
    return f"{text[:behind]},{text[comma_end : rest.end()]}{added}{text[rest.end() :]}"


def remove_element(text: str, element: Location) -> str:
    """Take an element out of an array, and its line if it has one of its own."""
    spans = scan_spans(text)
    array_start, _ = spans.values[element[:-1]]
    start, end = spans.values[element]
    comma = _COMMA.match(text, end)
    if comma is None and (later := _LATER_COMMA.match(text, end)) is not None:
        return text[:start] + text[end : later.end() - 1] + text[later.end() :]
    end = comma.end() if comma else end
    line, rest = _line_start(text, start), _REST_OF_LINE.match(text, end)
    if line > array_start and not text[line:start].strip() and rest is not None:
        return text[:line] + text[rest.end() :]
    if comma is not None:
        return text[:start] + text[end:].lstrip(" \t")
    return text[:start].rstrip(" \t").removesuffix(",") + text[end:]


def add_pair(text: str, table: Location, key: str, value: str) -> str:
    """Add a key and its value, written as TOML, behind the others of a table that has a header."""
    _, end = scan_spans(text).tables[table]
    return _insert_lines(text, end, [f"{key} = {value}"])


def add_table(text: str, behind: Location, header: str, pairs: Mapping[str, str]) -> str:
    """Add a table of strings behind another one that has a header, with a blank line between."""
    _, end = scan_spans(text).tables[behind]
    return _insert_lines(text, end, ["", header, *(f"{key} = {quote(one)}" for key, one in pairs.items())])


def remove_table(text: str, table: Location) -> str:
    """Take out a table with its header, and the blank lines behind it; comments above it stay."""
    start, end = scan_spans(text).tables[table]
    rest = _REST_OF_LINE.match(text, end)
    blank = _BLANK_LINES.match(text, rest.end() if rest else end)
    assert blank is not None  # it matches nothing, too
    return text[: _line_start(text, start)] + text[blank.end() :]


def quote(text: str) -> str:
    """Write a string as TOML."""
    return json.dumps(text, ensure_ascii=False)


def _find_last(values: Mapping[Location, tuple[int, int]], array: Location) -> tuple[int, int] | None:
    """Return where the last element of an array stands; `None` for an empty one."""
    inside = [span for place, span in values.items() if len(place) == len(array) + 1 and place[:-1] == array]
    return max(inside, default=None)


def _insert_lines(text: str, at: int, lines: list[str]) -> str:
    """Put lines behind the one in which a place is."""
    newline = _newline(text)
    rest = _REST_OF_LINE.match(text, at)
    at = rest.end() if rest else at
    before = text[:at] if text[:at].endswith("\n") or not at else text[:at] + newline
    return before + "".join(f"{line}{newline}" for line in lines) + text[at:]


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
