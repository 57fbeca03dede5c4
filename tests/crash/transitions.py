"""Which transition is under way: known by wrapping the functions that carry transitions out.

What a thread does inside a wrapped function belongs to its transition. A group of operations is committed in
another thread, later: what the committer does there belongs to all transitions of its group.
"""

import importlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any

from paperpath.maildrop.sqlite.group import Transaction
from paperpath.maildrop.values import NewMessage, Origin, Settlement

_COMMITTER = "maildrop-writer"  # the name of its thread
Function = Callable[..., Any]
Namer = Callable[[tuple[Any, ...]], str]


class Transitions:
    """What is under way in this process."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._inside = threading.local()
        self._group: dict[str, None] = {}
        self._lock = threading.Lock()
        self.under_way = 0

    def begin_group(self) -> None:
        """Forget the last group."""
        self._group.clear()

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """Let what this thread does belong to a transition; the outermost counts."""
        if getattr(self._inside, "name", None) is not None:
            yield
            return
        self._inside.name = name
        self._count(1)
        try:
            yield
        finally:
            self._inside.name = None
            self._count(-1)

    def _count(self, change: int) -> None:
        with self._lock:
            self.under_way += change

    @contextmanager
    def _in_group(self, transaction: Transaction, name: str) -> Iterator[None]:
        """Let the commit of a transaction belong to an operation too, if it changes anything."""
        if getattr(self._inside, "name", None) is not None:
            yield
            return
        connection = transaction.cursor.connection
        before = connection.total_changes()
        with self.inside(name):
            yield
        if connection.total_changes() != before:
            self._group[name] = None

    def name(self, file: str) -> str:
        """Name the transition that a call on a kind of file belongs to."""
        name: str | None = getattr(self._inside, "name", None)
        if name is not None:
            return name
        if file == "queue.db":
            return "checkpoint"  # nothing else writes there, as long as there is a log
        if threading.current_thread().name == _COMMITTER and self._group:
            return " + ".join(sorted(self._group))
        return "receive" if file.startswith("content") else "open and close"

    def wrap(self, function: Function, name: Namer) -> Function:
        """Make a function whose doings belong to a transition."""

        @wraps(function)
        def wrapped(*arguments: Any, **more: Any) -> Any:
            called = name((*arguments, *more.values()))
            inside_group = arguments and isinstance(arguments[0], Transaction)
            with self._in_group(arguments[0], called) if inside_group else self.inside(called):
                return function(*arguments, **more)

        return wrapped

    def install(self) -> None:
        """Wrap the product's functions, wherever they were imported to. Raises: AttributeError, KeyError."""
        wrapped: dict[int, Function] = {}
        for place, name in _TRANSITIONS.items():
            module_name, _, path = place.partition(":")
            module = importlib.import_module(f"paperpath.{module_name}")
            owner_name, _, attribute = path.rpartition(".")
            owner = getattr(module, owner_name) if owner_name else module
            function = getattr(owner, attribute)
            wrapped[id(function)] = self.wrap(function, _namer(name))
            setattr(owner, attribute, wrapped[id(function)])
        _replace(wrapped)


def _replace(new: Mapping[int, Function]) -> None:
    """Put functions in the place of others, by their ids, in every module: in one look at all names."""
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith("paperpath."):
            names = vars(module)
            found = [(name, id(value)) for name, value in names.items() if id(value) in new]
            names.update((name, new[old]) for name, old in found)


def _namer(name: str | Namer) -> Namer:
    return name if callable(name) else lambda _: name


def _values(arguments: Iterable[Any]) -> list[Any]:
    """Return what stands in the sequences among arguments."""
    return [value for argument in arguments if isinstance(argument, (list, tuple)) for value in argument]


def _name_accept(arguments: tuple[Any, ...]) -> str:
    origins = {value.origin for value in _values(arguments) if isinstance(value, NewMessage)}
    return " + ".join(sorted({_ARRIVALS.get(origin, "accept") for origin in origins}))


def _name_sort(arguments: tuple[Any, ...]) -> str:
    words = {"Sorted": "sort", "Expanded": "expand", "Refused": "refuse", "Aside": "set aside"}
    found = set()
    for value in _values(arguments):
        word = words[type(value).__name__]
        told = getattr(value, "report", None) or getattr(value, "notice", None)
        is_put_off = getattr(value, "not_before_us", 0) > arguments[-1]
        found.add(word + (" with report" if told else " for later" if is_put_off else ""))
    return " + ".join(sorted(found))


def _name_settle(arguments: tuple[Any, ...]) -> str:
    found = set()
    for value in _values(arguments):
        assert isinstance(value, Settlement)
        word = f"settle {type(value.outcome).__name__.lower()}"
        found.add(word + " with report" if value.report else word)
    return " + ".join(sorted(found))


def _name_warn(arguments: tuple[Any, ...]) -> str:
    return "warn with report" if any(value.report for value in _values(arguments)) else "warn"


def _name_deed(arguments: tuple[Any, ...]) -> str:
    return f"operator: {type(arguments[-1]).__name__.lower()}"


_ARRIVALS = {Origin.DROP: "import", Origin.SUBMISSION: "submit"}
_SQLITE = "maildrop.sqlite"
_STORE = "folders.store"
_TRANSITIONS: dict[str, str | Namer] = {
    f"{_SQLITE}.arrivals:insert_messages": _name_accept,
    f"{_SQLITE}.arrivals:forget_unique": "forget",
    f"{_SQLITE}.sorting:sort_recipients": _name_sort,
    f"{_SQLITE}.sorting:reopen_stale": "reopen",
    f"{_SQLITE}.sorting:raise_epoch": "raise epoch",
    f"{_SQLITE}.claiming:claim_ready": "claim",
    f"{_SQLITE}.claiming:claim_overdue": "claim overdue",
    f"{_SQLITE}.claiming:give_back": "give back",
    f"{_SQLITE}.warning:warn": _name_warn,
    f"{_SQLITE}.settling:settle_claims": _name_settle,
    f"{_SQLITE}.settling:settle_unclaimed": lambda arguments: "operator: " + _name_settle(arguments),
    f"{_SQLITE}.destinations:suspend": "suspend",
    f"{_SQLITE}.destinations:resume": "resume",
    f"{_SQLITE}.destinations:sweep": "sweep destinations",
    f"{_SQLITE}.deeds:carry_out": _name_deed,
    f"{_SQLITE}.workers:register_worker": "register",
    f"{_SQLITE}.workers:release_dead_workers": "release",
    f"{_SQLITE}.locks:WorkerLock.__init__": "register",
    f"{_SQLITE}.sweeping:find_orphans": "sweep",
    f"{_SQLITE}.sweeping:remove_orphans": "sweep",
    f"{_SQLITE}.tidying:tidy": "tidy",
    f"{_SQLITE}.space:restore_reserve": "reserve",
    f"{_SQLITE}.database:upgrade_database": "upgrade",
    f"{_SQLITE}.database:create_database": "create",
    f"{_SQLITE}.writer:GroupCommitter._checkpoint": "checkpoint",
    f"{_SQLITE}.writer:GroupCommitter._renew_connection": "mend",
    f"{_STORE}.index_file:open_index": "open index",
    f"{_STORE}.refreshing:refresh": "look",
    f"{_STORE}.open_folder:MaildirFolder.look": "look",
    f"{_STORE}.resuming:resume": "resume",
    f"{_STORE}.measuring:_keep": "keep",
    f"{_STORE}.open_folder:MaildirFolder.keep_cached": "keep",
    f"{_STORE}.appending:Appending.begin": "append",
    f"{_STORE}.appending:Appending.write": "append",
    f"{_STORE}.appending:Appending.finish": "append",
    f"{_STORE}.flagging:change_flags": "flag",
    f"{_STORE}.transfer:copy_messages": "copy",
    f"{_STORE}.transfer:move_messages": "move",
    f"{_STORE}.expunging:expunge_messages": "expunge",
    f"{_STORE}.tree:MaildirStore.create": "create folder",
    "maildrop.drop.writer:drop_message": "leave",
    "local.delivery:deliver_batch": "deliver",
    "local.users.putting:put": "deliver to user",
}
