"""The supervisor: starts programs, waits until each is ready, starts anew what dies, ends all in order.

Each program is a process of its own, or several that share the work. Listening sockets are opened here before
anything starts, and stay open. A program that cannot start at all ends the whole with its reason; one that
dies later is started again, at once the first time, then after growing pauses. If the supervisor itself is
killed, the programs see their lifeline close and end in order.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from paperpath.config.changes import only_removes_domains
from paperpath.config.endpoint import Port
from paperpath.config.loader import Document
from paperpath.service.activation import Activation, take_activation
from paperpath.service.child import Child, Household, Order
from paperpath.service.control import control_folder
from paperpath.service.handover import Texts
from paperpath.service.listener import open_listener_sets
from paperpath.service.log import Log
from paperpath.service.metrics import Family, Sample, make_gauge
from paperpath.service.privileges import Identity, find_identity
from paperpath.service.stalling import Holder, Sight, find_stalled, look_again, pause_between_looks
from paperpath.service.tls.contexts import open_contexts
from paperpath.service.tls.key_files import Reader


@dataclass(frozen=True, slots=True)
class ProgramSpec:
    """A program to run: its name, the module whose `main` it is, where it listens, and how many of it.

    `takes_keys`: it serves TLS with the certificates of the configuration.
    """

    name: str
    module: str
    listen: Sequence[Port] = ()
    processes: int = 1
    takes_keys: bool = False


class Supervisor:
    """Keeps programs alive."""

    def __init__(self, specs: Sequence[ProgramSpec], document: Document, log: Log) -> None:
        """Open the listening sockets; the ways in come last, and are ended first.

        Raises: ServiceError, where an address cannot be had; then none is left open.
        """
        activation = take_activation()
        with ExitStack() as opened:
            owner = find_identity(document.configuration.user)
            orders = [order for spec in specs for order in _make_orders(spec, owner, activation, opened)]
            activation.refuse_rest()
            self._listeners = opened.pop_all()
        self._document = document
        self._log = log
        self._texts = Texts(document.text, document)
        control = control_folder(document.configuration)
        watchdog_s = document.configuration.service.watchdog_s
        household = Household(document.path.absolute(), self._texts, control, log, watchdog_s)
        self._children = [Child(order, household) for order in orders]

    @property
    def statuses(self) -> list[tuple[str, str]]:
        """What each program said when it became ready."""
        return [(child.name, child.status) for child in self._children]

    async def start(self) -> None:
        """Start all at once; return when all are ready. Raises: ServiceError; then none is left running."""
        results = await asyncio.gather(*(child.start() for child in self._children), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                await self.stop()
                raise result

    async def keep_alive(self, find_holder: Callable[[], Holder | None]) -> None:
        """Start anew whatever dies, until cancelled; end what `find_holder` sees with a lock and stalled."""
        async with asyncio.TaskGroup() as group:
            for child in self._children:
                group.create_task(child.keep_alive())
            group.create_task(self._end_stalled(find_holder))

    async def reload(self, document: Document, read: Reader) -> None:
        """Pass a new configuration on, from program to program; whoever is started anew gets it too.

        Those that serve TLS get its certificates and keys opened, for they may be readable to us alone.

        Raises: ServiceError. Where a certificate is not right, all keep the old configuration; where a
        program does not take the new one, those after it in the order do.
        """
        open_contexts(document.configuration, read, asks_clients=True)
        # Nothing that was taken may be sorted or delivered by older tables. So a new domain is made known to
        # the post office before the relay takes mail for it, and one that goes is refused at the door first.
        # Where some come and some go, mail for one that goes, taken in the moment between, is sorted by the
        # new routes, as it would be after a restart; the other order could send mail of our own away.
        running, new = self._document.configuration, document.configuration
        self._texts.latest = document
        intake_first = only_removes_domains(running, new)
        for child in reversed(self._children) if intake_first else self._children:
            await child.reload()
        self._document = document

    def describe(self) -> list[dict[str, object]]:
        """Say how each program fares."""
        return [child.describe() for child in self._children]

    def families(self) -> list[Family]:
        """Say the same in numbers."""
        ready, restarts = {}, []
        for child in self._children:
            labels = {"child": child.name}
            ready[child.name] = float(child.is_ready)
            restarts.append(Sample("_total", labels, child.restarts))
        return [
            make_gauge("child_ready", "Whether the program does its work.", "child", ready),
            Family("paperpath_child_restarts", "counter", "How often it was started anew.", restarts),
        ]

    async def _end_stalled(self, find_holder: Callable[[], Holder | None]) -> None:
        """Look who holds what all need, again and again."""
        loop, limit_s = asyncio.get_running_loop(), self._document.configuration.service.lock_s
        sight = Sight()
        while True:
            holder = await asyncio.to_thread(find_holder)  # a disk may keep it waiting
            sight = look_again(sight, holder, loop.time(), limit_s)
            stalled = find_stalled(sight, limit_s)
            if stalled is not None:
                self._kill(stalled, limit_s)
                sight = Sight()
            await asyncio.sleep(pause_between_looks(limit_s))

    def _kill(self, stalled: Holder, after_s: float) -> None:
        """Kill a program of ours; of anybody else it is only told."""
        if not any(child.kill_stalled(stalled, after_s) for child in self._children):
            self._log.error(
                "holds a lock and gets nothing done", pid=stalled.pid, lock=stalled.lock, after_s=after_s
            )

    async def stop(self) -> None:
        """End all: the ways in first."""
        self._listeners.close()
        for child in reversed(self._children):
            await child.stop()


def _make_orders(
    spec: ProgramSpec, owner: Identity | None, activation: Activation, opened: ExitStack
) -> list[Order]:
    """Open a program's sockets, and say what each of its processes gets: smtprd.1, smtprd.2 and so on.

    What systemd opened is one set for all: whoever is first accepts.
    """
    given = activation.take(spec.name, spec.listen)
    if given is None:
        sets = open_listener_sets(spec.name, spec.listen, spec.processes, owner)
    else:
        sets = [given] * spec.processes
    for listeners in sets:
        for listener in listeners:
            opened.enter_context(listener)
    if len(sets) == 1:
        return [Order(spec.name, spec.module, sets[0], spec.takes_keys)]
    return [
        Order(f"{spec.name}.{number}", spec.module, listeners, spec.takes_keys)
        for number, listeners in enumerate(sets, 1)
    ]
