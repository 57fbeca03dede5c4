"""A page in the language of man(7), for groff and mandoc."""

import re
from collections.abc import Iterator

from manual.page import Block, Example, Item, Page, Paragraph
from paperpath import __version__

_TYPED = re.compile(r"`([^`]+)`")


def render(page: Page) -> str:
    """Write a page."""
    return "\n".join(_lines(page)) + "\n"


def _lines(page: Page) -> Iterator[str]:
    # The last argument, the manual's name, is nothing: long names of commands leave no room for one.
    yield f'.TH "{_typed(page.name.upper())}" {page.volume} "" "Paperpath {_typed(__version__)}" ""'
    yield ".SH NAME"
    yield f"{_typed(page.name)} \\- {_prose(page.summary)}"
    yield ".SH SYNOPSIS"
    for usage in page.synopsis:
        yield f"\\fB{_typed(page.command)}\\fR {_typed(usage)}"
        yield ".br"
    for section in page.sections:
        yield f".SH {_typed(section.title)}"
        for block in section.blocks:
            yield from _block(block)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(text):
            yield ".PP"
            yield _guard(_prose(text))
        case Item(term, text):
            yield ".TP"
            yield f"\\fB{_typed(term)}\\fR"
            yield _guard(_prose(text))
        case Example(lines):
            yield from (".PP", ".RS 4", ".nf")
            yield from (_guard(_typed(line)) for line in lines)
            yield from (".fi", ".RE")


def _prose(text: str) -> str:
    """Write text; what is typed in it is bold, with hyphens that can be copied."""
    pieces = _TYPED.split(text)
    return "".join(
        f"\\fB{_typed(piece)}\\fR" if number % 2 else _escape(piece) for number, piece in enumerate(pieces)
    )


def _typed(text: str) -> str:
    return _escape(text).replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga").replace("~", "\\(ti")


def _escape(text: str) -> str:
    return text.replace("\\", "\\e").replace('"', "\\(dq")


def _guard(line: str) -> str:
    """Keep a line from being taken for a request."""
    return f"\\&{line}" if line.startswith((".", "'")) or not line else line
