"""A manual page as a value, which knows nothing of where it came from or what it will look like."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text; what stands between backquotes is what somebody types or sees."""

    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """A term, such as an option with its argument, and what it means."""

    term: str
    text: str


@dataclass(frozen=True, slots=True)
class Example:
    """Lines as they are typed."""

    lines: tuple[str, ...]


Block = Paragraph | Item | Example


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, and what stands under it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The page of one command; `synopsis` is what follows its name, in each way to call it."""

    command: str
    volume: int
    summary: str
    synopsis: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def name(self) -> str:
        """The name that `man` is asked for: subcommands have hyphens."""
        return self.command.replace(" ", "-")
