"""The storm over remote delivery: from relay in to a sink that fails in every way it knows, and programs die.

What must hold in the end: the books balance; every recipient that was accepted was taken by the sink, or its
sender has one report of it; nothing is changed, and nothing is left over. The sink may have copies too many:
where it took a message and did not say so, and where a death came between its answer and our commit. Of the
latter there are no more than recipients were on their way when the programs were killed.
"""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from paperpath.config.endpoint import Endpoint
from paperpath.testing.sink import Sink, sink_in_thread
from paperpath.testing.sink_books import Taken
from paperpath.testing.sink_options import SinkOptions
from tests.crash.deaths import Deaths
from tests.crash.ledger import Answer, Found, Ledger, Message, is_unchanged_relayed, sort_out
from tests.crash.programs import OFFICE, warm_up
from tests.crash.runner import reach_rest
from tests.crash.site import Site
from tests.crash.steps import JOE, LARGE, Scenario, Step, U
from tests.crash.storm import send_all
from tests.support.installation import (
    FEW_CLIENTS,
    Installation,
    find_free_port,
    wait_until,
)

_HOSTS = 20
_PATIENCE_S = 300.0
FAILING = 0.15  # of greetings, EHLOs, senders and recipients
STALL_S = 1.5  # longer than our patience before the final dot, shorter than that behind it
REMOTE = """
[remote]
schedule = { first_s = 0.2, factor = 1.0, most_s = 0.2 }
timeouts = { connect_s = 1, greeting_s = 1, hello_s = 1, mail_s = 1, rcpt_s = 1, data_s = 1, end_s = 60 }

[delivery]
give_up_after_s = 86400
most_reports_per_minute = 10000
"""


@dataclass(frozen=True, slots=True)
class RemoteStorm:
    """What a storm did, and what is wrong after it. `in_flight`: recipients, at all deaths together."""

    answers: dict[str, int]
    kills: dict[str, int]
    taken: int
    bounced: int
    deeds: int
    untold: int
    doubled: int
    in_flight: int
    took_s: float
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        said = ", ".join(f"{count} {answer}" for answer, count in sorted(self.answers.items()))
        killed = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items()))
        return "\n".join(
            [
                f"messages: {said}; in {self.took_s:.0f} s",
                f"killed: {killed}",
                f"recipients that the sink took: {self.taken}; that it refused: {self.bounced}",
                f"times that it failed: {self.deeds}",
                f"surplus copies where it took a message and did not say so: {self.untold}",
                f"surplus copies by deaths: {self.doubled}; on their way then: {self.in_flight}",
                *(self.wrong or ["the books balance"]),
            ]
        )


def remote_storm(folder: Path, messages: int, seconds: float, seed: int) -> RemoteStorm:
    """Send messages while programs die; wait until all has come to rest; balance the books."""
    began_s = time.monotonic()
    source = random.Random(seed)
    ports = [find_free_port() for _ in range(_HOSTS)]
    installation = _install(folder, ports)
    ledger = Ledger()
    deaths = Deaths(installation, source)
    options = SinkOptions(
        listen=tuple(Endpoint("127.0.0.1", port) for port in ports),
        all_random=True,
        random=FAILING,
        seed=seed,
        stall_s=STALL_S,
    )
    with sink_in_thread(options) as sink:
        with installation.up():
            kills = send_all(
                installation.port, list(make_messages(messages, source)), ledger, seconds, deaths.kill
            )
            kills += _outlast(installation, seconds, deaths)
        wait_until(lambda: not deaths.find_orphans(), "the relay clients to end")
    warm_up()
    site = Site(folder)
    wrong = reach_rest(site, Scenario("remote storm", [Step(OFFICE)]), ledger)
    copies = Copies(sink)
    found = sort_out(site.stored(), ledger)
    wrong += [*balance(ledger, site, found, copies), *_limit(copies.doubled, deaths.in_flight)]
    return RemoteStorm(
        dict(Counter(answer.value for _, answer in ledger.sent.values())),
        dict(kills),
        len(copies.of),
        sum(counts.total() for counts in found.reports.values()),
        sum(sink.books.deeds.values()),
        copies.untold,
        copies.doubled,
        deaths.in_flight,
        time.monotonic() - began_s,
        tuple(wrong),
    )


def make_messages(count: int, source: random.Random) -> Iterator[Message]:
    """Make messages to random hosts, of some several recipients at one; now and then one to a mailbox too."""
    for number in range(1, count + 1):
        octets = LARGE if source.random() < 0.02 else source.randrange(3000)
        hosts = source.choices(range(_HOSTS), k=source.choice((1, 1, 1, 2, 3)))
        far = tuple(f"r{place}.{number}@h{host}.wild.example" for place, host in enumerate(hosts))
        near = (U,) if source.random() < 0.1 else ()
        yield Message(number, far + near, dict.fromkeys(near, 1), sender=JOE, octets=octets)


def _install(folder: Path, ports: Sequence[int]) -> Installation:
    installation = Installation(folder, accounts=(U, JOE, "admin@here.example"), processes=2)
    lead_away(installation, ports)
    return installation


def lead_away(installation: Installation, ports: Sequence[int]) -> None:
    """Have mail for h0.wild.example, h1 and so on go to these ports, and attempts follow at once."""
    routes = "".join(
        f'[[post_office.route]]\ndomain = "h{host}.wild.example"\nvia = "smtp://127.0.0.1:{port}"\n'
        for host, port in enumerate(ports)
    )
    text = installation.file.read_text().replace(FEW_CLIENTS, "")
    installation.file.write_text(text + routes + REMOTE)


def _outlast(installation: Installation, seconds: float, deaths: Deaths) -> Counter[str]:
    """Go on killing as long as there is much to do, then let all come to rest."""
    kills: Counter[str] = Counter()
    deadline_s = time.monotonic() + _PATIENCE_S
    while installation.books().open > 100 and time.monotonic() < deadline_s:
        kills += deaths.kill()
        time.sleep(seconds)
    wait_until(lambda: not installation.books().open, "all mail to come to rest", _PATIENCE_S)
    return kills


class Copies:
    """What the sink took, by recipient; each copy but the last is surplus, told or not that it was taken."""

    def __init__(self, sink: Sink) -> None:
        """Count them."""
        self.of: defaultdict[str, list[Taken]] = defaultdict(list)
        self.surplus = sink.books.surplus
        for taken in sink.taken:
            for recipient in taken.recipients:
                self.of[recipient.address].append(taken)
        before = [taken for copies in self.of.values() for taken in copies[:-1]]
        self.doubled = sum(taken.answered for taken in before)
        self.untold = len(before) - self.doubled


def balance(ledger: Ledger, site: Site, found: Found, copies: Copies) -> Iterator[str]:
    """Give what is wrong, each with the promise that it breaks."""
    books = site.books()
    if not books.balance or books.open:
        yield f"P2: the books do not balance, or not all is at rest: {books}"
    yield from found.strange
    accepted = 0
    for message, answer in ledger.sent.values():
        reports, near = (
            found.reports.get(message.number, Counter()),
            found.copies.get(message.number, Counter()),
        )
        came = bool(reports or near or any(copies.of.get(one) for one in message.recipients))
        if answer is Answer.REFUSED and came:
            yield f"D4: message {message.number} was refused, and came"
        elif answer is Answer.TAKEN or came:
            accepted += len(message.recipients)
            yield from _balance_message(message, near, reports, copies)
    if accepted != books.accepted:
        yield f"P2: {books.accepted} recipients accepted by the books, {accepted} by what came"
    failed = sum(counts.total() for counts in found.reports.values())
    if failed != books.failed:
        yield f"P2: {books.failed} recipients failed by the books, {failed} by the reports"
    if books.relayed > len(copies.of):
        yield f"P2: {books.relayed} recipients relayed by the books, {len(copies.of)} taken by the sink"
    if copies.doubled + copies.untold != copies.surplus:
        yield f"P1: of {copies.surplus} surplus copies that the sink counts some differ from the first"
    yield from (f"D12: left behind: {what}" for what in site.leftovers())


def _balance_message(
    message: Message, near: Counter[str], reports: Counter[str], copies: Copies
) -> Iterator[str]:
    if near != Counter(message.copies):
        yield f"P2: message {message.number} lies in {near}, and should in {message.copies}"
    for recipient in message.recipients:
        taken = copies.of.get(recipient, ())
        if recipient not in message.copies and not taken and not reports[recipient]:
            yield f"P2: {recipient} has neither mail nor report"
        if reports[recipient] > 1:
            yield f"P4: {reports[recipient]} reports of {recipient}"
        if not all(is_unchanged_relayed(one.content, message) for one in taken):
            yield f"P1: message {message.number} to {recipient} is not what was sent"


def _limit(doubled: int, in_flight: int) -> Iterator[str]:
    if doubled > in_flight:
        yield f"P4: {doubled} copies by deaths, and only {in_flight} recipients were on their way"
