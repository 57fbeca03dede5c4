"""The queue in numbers, for who has the maildrop open; counted when somebody asks."""

from collections.abc import Sequence

from paperpath.maildrop.interface import Maildrop
from paperpath.service.metrics import Family, Sample, Source, make_gauge

_STATES = ("unsorted", "ready", "claimed", "held")
_OUTCOMES = (
    "accepted",
    "reported",
    "made",
    "expanded",
    "delivered",
    "relayed",
    "failed",
    "discarded",
    "removed",
)


def measure_queue(maildrop: Maildrop) -> Source:
    """Return a source of the books: what is open by state, what came in and how it ended."""

    def measure() -> Sequence[Family]:
        books = maildrop.read_books()
        by_state: dict[str, float] = {state: getattr(books, state) for state in _STATES}
        counted = [Sample("_total", {"outcome": name}, getattr(books, name)) for name in _OUTCOMES]
        return [
            make_gauge("queue_recipients", "Recipients in the queue.", "state", by_state),
            Family("paperpath_recipients", "counter", "Recipients since the maildrop was made.", counted),
        ]

    return measure
