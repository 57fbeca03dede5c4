"""What the queue's operations cost, by its depth: `.venv/bin/python -m bench.maildrop [options]`.

For each depth a queue is filled with that many recipients, all ready and due, in a folder of its own; then
batches of the sizes that the programs use are accepted, sorted, claimed and settled, so that the depth stays.
The costs are to be flat: at the greatest depth within 20 % of those at the least. Every commit is flushed.
Opening a filled queue, reading its books and its summary are measured too. Results go to the standard output,
progress to the standard error; nothing is left on the disk.
"""

import argparse
import asyncio
import hashlib
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.command import make_parser, positive, progress
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Client, Envelope, Recipient
from paperpath.mail.outcome import Delivered
from paperpath.mail.reply import make_reply
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.sqlite.database import create_database
from paperpath.maildrop.sqlite.engine import SqliteMaildrop, Worker, open_sqlite
from paperpath.maildrop.values import Content, NewMessage, Settlement, Sorted, Transport

ACCEPTED_AT_ONCE, SORTED_AT_ONCE, CLAIMED_AT_ONCE = 20, 500, 50
FILLED_AT_ONCE = 500
FLAT = 1.2
SENT = make_reply(250, "2.1.5", "Delivered")
CLIENT = Client("192.0.2.1", 40000, "client.example", "ESMTP")
EXAMPLE = """\
example:
  python -m bench.maildrop
  python -m bench.maildrop --depths 10000,500000,2000000 --messages 10000
"""


@dataclass(slots=True)
class Costs:
    """Seconds of the clock and of the processor that each operation took, and for how many messages."""

    clock: dict[str, float] = field(default_factory=dict)
    processor: dict[str, float] = field(default_factory=dict)
    messages: dict[str, int] = field(default_factory=dict)

    async def measure(self, name: str, awaitable: Awaitable[object], messages: int) -> object:
        """Wait for something, and note what it cost."""
        clock, processor = time.perf_counter(), time.process_time()
        result = await awaitable
        self.clock[name] = self.clock.get(name, 0.0) + time.perf_counter() - clock
        self.processor[name] = self.processor.get(name, 0.0) + time.process_time() - processor
        self.messages[name] = self.messages.get(name, 0) + messages
        return result

    def each(self, name: str) -> tuple[float, float]:
        """Microseconds of clock and processor for each message."""
        return tuple(1e6 * taken[name] / self.messages[name] for taken in (self.clock, self.processor))  # type: ignore[return-value]


class Queue:
    """A queue that is filled and worked on by one worker, as if it were all of them."""

    def __init__(
        self,
        maildrop: Maildrop,
        octets: bytes,
        destinations: Sequence[str],
        transport: Transport = Transport.LOCAL,
    ) -> None:
        self._maildrop = maildrop
        self._content = Content(len(octets), hashlib.sha256(octets).digest(), octets, None)
        self._destinations = destinations
        self._transport = transport
        self._number = 0

    def _message(self) -> NewMessage:
        self._number += 1
        destination = self._destinations[self._number % len(self._destinations)]
        recipient = Recipient(Mailbox(f"user{self._number % 1000}", destination))
        envelope = Envelope(Mailbox("sender", "else.example"), (recipient,), CLIENT)
        now_us = time.time_ns() // 1000
        return NewMessage(self._maildrop.new_queue_id(now_us), envelope, self._content, now_us)

    async def accept(self, count: int) -> None:
        """Accept messages that come at once, and so make one group."""
        await asyncio.gather(*(self._maildrop.accept(self._message()) for _ in range(count)))

    async def sort(self) -> int:
        """Sort a batch as the post office does; the least in it is the work of routing."""
        waiting = self._maildrop.read_unsorted(SORTED_AT_ONCE).recipients
        decisions = [
            Sorted(
                one.id,
                one.address,
                self._transport,
                one.address.domain,
                f"{self._transport.value}:{one.address}",
            )
            for one in waiting
        ]
        await self._maildrop.sort(decisions, self._maildrop.read_epoch(), time.time_ns() // 1000)
        return len(waiting)

    async def accept_all(self, count: int) -> None:
        """Accept so many messages, in groups as large as there are."""
        while self._number < count:
            await self.accept(min(FILLED_AT_ONCE, count - self._number))

    async def fill(self, depth: int) -> None:
        """Accept and sort until that many wait."""
        while self._number < depth:
            await self.accept(min(FILLED_AT_ONCE, depth - self._number))
            await self.sort()

    async def work(self, messages: int, costs: Costs) -> None:
        """Take messages in, and as many out."""
        for _ in range(messages // SORTED_AT_ONCE):
            for _ in range(SORTED_AT_ONCE // ACCEPTED_AT_ONCE):
                await costs.measure("accept", self.accept(ACCEPTED_AT_ONCE), ACCEPTED_AT_ONCE)
            await costs.measure("sort", self.sort(), SORTED_AT_ONCE)
            for _ in range(SORTED_AT_ONCE // CLAIMED_AT_ONCE):
                await self._deliver(costs)

    async def _deliver(self, costs: Costs) -> None:
        claiming = self._maildrop.claim(Transport.LOCAL, CLAIMED_AT_ONCE, time.time_ns() // 1000)
        await costs.measure("claim", claiming, CLAIMED_AT_ONCE)
        settlements = [Settlement(claim.recipient_id, Delivered(SENT)) for claim in claiming.result().claims]
        await costs.measure("settle", self._maildrop.settle(settlements), CLAIMED_AT_ONCE)


async def measure_depth(folder: Path, depth: int, options: argparse.Namespace) -> Costs:
    """Fill a queue and work on it; say what opening and looking cost."""
    create_database(folder)
    maildrop = await open_door(folder)
    queue = Queue(maildrop, b"x" * options.size, make_names(options.destinations))
    started = time.perf_counter()
    await queue.fill(depth)
    progress(f"depth {depth}: filled in {time.perf_counter() - started:.0f} s")
    costs = Costs()
    await queue.work(2 * SORTED_AT_ONCE, Costs())  # to warm up
    await queue.work(options.messages, costs)
    looks: dict[str, Callable[[], object]] = {"books": maildrop.read_books, "summary": maildrop.summarize}
    for name, look in looks.items():
        started = time.perf_counter()
        look()
        print(f"depth {depth}: {name} read in {1e3 * (time.perf_counter() - started):.1f} ms")
    await maildrop.close()
    started = time.perf_counter()
    maildrop = await open_door(folder)
    await Queue(maildrop, b"x" * options.size, make_names(1)).accept(1)
    print(
        f"depth {depth}: opened, and one message accepted, in {1e3 * (time.perf_counter() - started):.1f} ms"
    )
    await maildrop.close()
    return costs


def make_names(count: int) -> list[str]:
    """Make so many destinations."""
    return [f"d{number}.example" for number in range(count)]


async def open_door(folder: Path) -> SqliteMaildrop:
    """Open the queue as the program that checkpoints."""
    return await open_sqlite(folder, Worker("bench", 0, checkpoints=True), lambda stage: None)


def report(depths: Sequence[int], all_costs: Sequence[Costs]) -> bool:
    """Print a table; tell whether the costs are flat."""
    print(f"\n{'µs for each message':20}" + "".join(f"{depth:>22}" for depth in depths) + "   last : first")
    is_flat = True
    for name in ("accept", "sort", "claim", "settle"):
        each = [costs.each(name) for costs in all_costs]
        ratio = each[-1][1] / each[0][1]
        is_flat &= ratio <= FLAT
        cells = "".join(f"{clock:12.1f} ({processor:6.1f})" for clock, processor in each)
        print(f"{name:20}{cells}   {ratio:.2f}")
    print(f"by the clock (by the processor); flat within 20 % by the processor: {'yes' if is_flat else 'NO'}")
    return is_flat


def main() -> None:
    parser = make_parser("bench.maildrop", __doc__.splitlines()[0] if __doc__ else None, EXAMPLE)
    parser.add_argument("--depths", default="10000,500000", help="recipients in the queue (%(default)s)")
    parser.add_argument("--messages", type=positive, default=5000, help="to work on at each (%(default)s)")
    parser.add_argument("--size", type=positive, default=1000, help="octets of each (%(default)s)")
    parser.add_argument("--destinations", type=positive, default=10, help="they go to (%(default)s)")
    parser.add_argument("--folder", type=Path, help="where to make the queues; by default a temporary one")
    options = parser.parse_args()
    depths = [int(depth) for depth in options.depths.split(",")]
    all_costs = []
    for depth in depths:
        folder = Path(tempfile.mkdtemp(prefix="maildrop-", dir=options.folder))
        try:
            all_costs.append(asyncio.run(measure_depth(folder / "maildrop", depth, options)))
        finally:
            shutil.rmtree(folder)
    sys.exit(0 if report(depths, all_costs) else 1)


if __name__ == "__main__":
    main()
