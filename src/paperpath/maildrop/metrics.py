"""The queue in numbers, for who has the maildrop open; counted when somebody asks."""

from collections.abc import Sequence

from paperpath.maildrop.interface import Maildrop
from paperpath.service.metrics import Family, Sample, Source, make_gauge


def measure_queue(maildrop: Maildrop) -> Source:
    """Return a source of the books: what is open by state, what was accepted and delivered."""

    def measure() -> Sequence[Family]:
        books = maildrop.read_books()
        by_state: dict[str, float] = {
            "unsorted": books.unsorted,
            "ready": books.ready,
            "claimed": books.claimed,
        }
        settled = [
            Sample("_total", {"outcome": "accepted"}, books.accepted),
            Sample("_total", {"outcome": "delivered"}, books.delivered),
        ]
        return [
            make_gauge("queue_recipients", "Recipients in the queue.", "state", by_state),
            Family("paperpath_recipients", "counter", "Recipients since the maildrop was made.", settled),
        ]

    return measure
