"""A process that dies at the n-th call that changes something: a file, a name, the index."""

import os
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

from paperpath.folders.store.index import Index

CALLS = ("rename", "fsync", "link", "unlink", "write", "utime", "mkdir")
DIED = 9


def run_and_die(deed: Callable[[], object], call: int, *, after: bool) -> bool:
    """Run a deed in a process of its own, which dies at a call, before or after it; tell whether it did."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _arm(call, after=after)
            deed()
            status = 0
        finally:
            os._exit(status)
    _, found = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(found)
    assert code in {0, DIED}
    return code == DIED


def _arm(last: int, *, after: bool) -> None:
    made = 0

    def count() -> None:
        nonlocal made
        made += 1
        if made == last:
            os._exit(DIED)

    def watched(call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            if not after:
                count()
            result = call(*args, **kwargs)
            if after:
                count()
            return result

        return run

    for name in CALLS:
        setattr(os, name, watched(getattr(os, name)))
    changing = Index.changing

    @contextmanager
    def watched_changing(index: Index, *, flushed: bool = True) -> Any:
        with changing(index, flushed=flushed):
            yield
            if not after:
                count()  # before the commit
        if after:
            count()

    setattr(Index, "changing", watched_changing)  # noqa: B010
