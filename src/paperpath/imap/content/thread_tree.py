"""Threads as trees, and as they are written (RFC 5256 §4). Used by threads.py and references.py.

Trees may be as deep as there are messages: nothing here calls itself.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from paperpath.imap.content.summaries import Summary


@dataclass(eq=False, slots=True)
class Node:
    """A message in a thread, or where `message` is `None`, one that is known of only."""

    message: Summary | None = None
    children: "list[Node]" = field(default_factory=list)

    @property
    def first(self) -> Summary | None:
        """The message; else that of the first child: it stands for a thread without a beginning."""
        if self.message is None and self.children:
            return self.children[0].message
        return self.message

    @property
    def order(self) -> tuple[int, int]:
        """By what siblings are sorted: when it was sent, then its number."""
        first = self.first
        return (first.sent_us, first.number) if first is not None else (0, 0)


class _Text(NamedTuple):
    text: str


def write_threads(roots: Iterable[Node]) -> str:
    """Write threads, each in parentheses."""
    return "".join(piece for root in roots for piece in _write_thread(root))


def children_first(roots: Iterable[Node]) -> list[Node]:
    """Return all nodes, each behind those below it."""
    found: list[Node] = []
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += node.children
    return found[::-1]


def _write_thread(root: Node) -> Iterator[str]:
    waiting: list[Node | _Text] = [_Text(")"), root, _Text("(")]
    while waiting:
        item = waiting.pop()
        if isinstance(item, _Text):
            yield item.text
            continue
        if item.message is not None:
            yield str(item.message.number)
            if item.children:
                yield " "
        if len(item.children) == 1:
            waiting.append(item.children[0])
        else:
            for child in reversed(item.children):
                waiting += (_Text(")"), child, _Text("("))
