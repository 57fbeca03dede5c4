"""The texts of docs/man: sections of paragraphs, items and examples, in a little Markdown.

# NAME: summary            only where the command does not describe itself
## SECTION
A paragraph, with `what is typed`.

- `TERM`: what it means

    an example
"""

import re
from collections.abc import Iterator

from manual.page import Block, Example, Item, Paragraph, Section

_ITEM = re.compile(r"- (`[^`]+`(?:, `[^`]+`)*): ")


def parse_sections(text: str) -> tuple[Section, ...]:
    """Read a text."""
    _, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    return tuple(
        Section(title.strip(), tuple(_parse_blocks(body)))
        for title, _, body in (part.partition("\n") for part in parts)
    )


def parse_summary(text: str) -> str:
    """Read what a text says of its command in one line."""
    match = re.match(r"# \S+: (.+)\n", text)
    if match is None:
        raise ValueError("expected a first line like # NAME: summary")
    return match[1]


def _parse_blocks(body: str) -> Iterator[Block]:
    for part in re.split(r"\n\s*\n", body.strip("\n")):
        if part.startswith("    "):
            yield Example(tuple(line.removeprefix("    ") for line in part.split("\n")))
        elif part.startswith("- "):
            yield from map(_parse_item, re.split(r"\n(?=- )", part))
        elif part.strip():
            yield Paragraph(" ".join(part.split()))


def _parse_item(text: str) -> Item:
    match = _ITEM.match(text)
    if match is None:
        raise ValueError(f"expected - `TERM`: TEXT, got {text}")
    return Item(match[1].replace("`", ""), " ".join(text[match.end() :].split()))
