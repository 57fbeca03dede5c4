"""Both sides as relays to a sink, which takes everything and throws it away: mail comes in, and goes out.

Their queues can be filled beforehand, while the sink is away (`bench.compare.filling`).
"""

from functools import partial
from pathlib import Path
from typing import Protocol

from bench import ours, postfix, settings
from bench.compare import filling
from bench.relay import DOMAIN, Relay

MAILBOXES = "mailboxes.test"  # a domain of ours that gets no mail
TUNINGS = {
    postfix.DEFAULT_NAME: settings.DEFAULT,
    postfix.TUNED_NAME: settings.RELAYING,
    postfix.EXPERT_NAME: settings.RELAYING_EXPERT,
}


class Queueing(Relay, Protocol):
    """A relay whose queue can be filled, weighed and worked off."""

    def fill(self, messages: int, length: int) -> None:
        """Have so many messages wait for the sink. It is prepared, and not launched."""

    def octets(self) -> int:
        """What its queue takes of the disk."""

    def retry(self) -> list[str]:
        """The command line that has it try at once what waits."""


class Paperpath(ours.Paperpath):
    """Paperpath that relays to a sink."""

    def __init__(self, folder: Path, port: int, sink_port: int) -> None:
        super().__init__(folder, port)
        self._sink_port = sink_port

    def init(self) -> None:
        """Make a configuration that has the load relayed."""
        super().init()
        self.amend(f'domain = "{DOMAIN}"\nvia = "local"', f'domain = "{MAILBOXES}"\nvia = "local"')
        self.append(f'[[post_office.route]]\ndomain = "{DOMAIN}"\nvia = "smtp://127.0.0.1:{self._sink_port}"')

    def fill(self, messages: int, length: int) -> None:
        """Accept them into the maildrop, and have the post office sort them."""
        filling.fill_paperpath(self, messages, length)

    def octets(self) -> int:
        """The size of the maildrop."""
        return filling.octets_below(self.folder / "data" / "maildrop")

    def retry(self) -> list[str]:
        """The operator's command."""
        return [self.program, "queue", "retry", "--all", "--config", str(self.config)]


class Postfix(postfix.Postfix):
    """A private Postfix that relays to a sink."""

    def __init__(self, name: str, folder: Path, port: int, sink_port: int) -> None:
        way = partial(settings.to_sink, port=sink_port)
        super().__init__(name, folder, port, way, TUNINGS[name])

    def fill(self, messages: int, length: int) -> None:
        """Put copies of a queue file of its own into its queue."""
        filling.fill_postfix(self, messages, length)

    def octets(self) -> int:
        """The size of the queue's files and folders."""
        return filling.octets_below(self.places.queue)

    def retry(self) -> list[str]:
        """The operator's command."""
        return self.admin("postqueue", "-f")


def make(name: str, folder: Path, port: int, sink_port: int) -> Queueing:
    """A side that relays to this port."""
    if name == ours.NAME:
        return Paperpath(folder, port, sink_port)
    return Postfix(name, folder, port, sink_port)
