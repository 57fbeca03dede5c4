"""THREAD REFERENCES: messages put together by what they answer, then by subject (RFC 5256 §3).

Used by threads.py. Time is nearly linear in the references, however they are made up: what each message
answers by its own word is linked first, and then what others say of messages that answer nothing. So whether
a link would close a loop is one question to a forest that only grows.
"""

from collections.abc import Iterable, Sequence

from paperpath.imap.content.summaries import Summary
from paperpath.imap.content.thread_tree import Node, children_first


def link_by_references(messages: Sequence[Summary]) -> list[Node]:
    """Return the roots of the trees of messages, sorted."""
    forest = _Forest()
    nodes = [forest.add(message) for message in messages]
    for message, node in zip(messages, nodes, strict=True):
        if message.ancestors:
            forest.link(forest.find(message.ancestors[-1]), node)
    for message in messages:
        for parent, child in zip(message.ancestors, message.ancestors[1:], strict=False):
            forest.link(forest.find(parent), forest.find(child))
    roots = _prune(forest.roots())
    _sort(roots)
    roots = _gather(roots)
    _sort(roots)
    return roots


class _Forest:
    """Nodes by message id, each linked to a parent at most once."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []
        self._numbers: dict[bytes, int] = {}
        self._parents: list[int] = []  # of a root: itself
        self._tops: list[int] = []  # on the way to the root; ever shorter

    def add(self, message: Summary) -> int:
        """Add a message; one whose id another one has, or without any, is known by none."""
        number = self._add(Node(message))
        if message.message_id:
            self._numbers.setdefault(message.message_id, number)
        return number

    def find(self, message_id: bytes) -> int:
        """Return the node of an id, made now where nobody has it."""
        number = self._numbers.get(message_id)
        if number is None:
            number = self._numbers[message_id] = self._add(Node())
        return number

    def link(self, parent: int, child: int) -> None:
        """Put a root below another node, unless that is below it."""
        if self._parents[child] == child and self._top(parent) != child:
            self._parents[child] = self._tops[child] = parent
            self._nodes[parent].children.append(self._nodes[child])

    def roots(self) -> list[Node]:
        """Return the nodes without a parent."""
        return [node for number, node in enumerate(self._nodes) if self._parents[number] == number]

    def _add(self, node: Node) -> int:
        number = len(self._nodes)
        self._nodes.append(node)
        self._parents.append(number)
        self._tops.append(number)
        return number

    def _top(self, number: int) -> int:
        while self._tops[number] != number:
            self._tops[number] = self._tops[self._tops[number]]
            number = self._tops[number]
        return number


def _prune(roots: Iterable[Node]) -> list[Node]:
    """Remove nodes without messages; their children move up, but several stay together below a root."""
    top = Node(children=list(roots))
    for node in children_first([top]):
        children: list[Node] = []
        for child in node.children:
            if child.message is not None or (node is top and len(child.children) > 1):
                children.append(child)
            else:
                children += child.children
        node.children = children
    return top.children


def _sort(roots: list[Node]) -> None:
    """Sort siblings by date, the lowest first: what stands for a thread is its first child."""
    for node in children_first(roots):
        node.children.sort(key=lambda child: child.order)
    roots.sort(key=lambda root: root.order)


def _gather(roots: Sequence[Node]) -> list[Node]:
    """Put threads of one subject together (RFC 5256 §3, step 5)."""
    table: dict[str, Node] = {}
    for root in roots:
        subject = _subject(root)
        if subject and (subject not in table or _is_better(root, table[subject])):
            table[subject] = root
    kept = {id(node) for node in table.values()}
    gathered = [root for root in roots if id(root) in kept or not _subject(root)]
    for root in roots:
        subject = _subject(root)
        if subject and id(root) not in kept:
            _join(root, table[subject])
    return gathered


def _subject(root: Node) -> str:
    first = root.first
    return "" if first is None else first.subject


def _is_reply(root: Node) -> bool:
    first = root.first
    return first is not None and first.is_reply


def _is_better(root: Node, other: Node) -> bool:
    """Tell whether a thread rather stands for its subject: one without beginning, else no reply."""
    if other.message is None:
        return False
    return root.message is None or (_is_reply(other) and not _is_reply(root))


def _join(root: Node, table_root: Node) -> None:
    """Put a thread to another one with its subject."""
    if table_root.message is None:
        table_root.children += root.children if root.message is None else [root]
    elif root.message is not None and _is_reply(root) and not _is_reply(table_root):
        table_root.children.append(root)
    else:  # neither is above the other: both are below nothing
        table_root.children = [Node(table_root.message, table_root.children), root]
        table_root.message = None
