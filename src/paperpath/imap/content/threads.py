"""THREAD: messages put together (RFC 5256 §3)."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from paperpath.imap.content.references import link_by_references
from paperpath.imap.content.summaries import Summary
from paperpath.imap.content.thread_tree import Node, write_threads
from paperpath.imap.search_keys import ThreadAlgorithm


def thread_messages(messages: Iterable[Summary], algorithm: ThreadAlgorithm) -> str:
    """Return threads as `responses.write_thread` takes them."""
    ordered = sorted(messages, key=lambda message: message.number)
    if algorithm is ThreadAlgorithm.REFERENCES:
        return write_threads(link_by_references(ordered))
    return write_threads(_link_by_subject(ordered))


def _link_by_subject(messages: Sequence[Summary]) -> list[Node]:
    """Put what has one subject below the first message with it (ORDEREDSUBJECT)."""
    ordered = sorted(messages, key=lambda message: (message.subject, message.sent_us, message.number))
    roots = []
    for _, group in groupby(ordered, key=lambda message: message.subject):
        first, *others = group
        roots.append(Node(first, [Node(other) for other in others]))
    return sorted(roots, key=lambda root: root.order)
