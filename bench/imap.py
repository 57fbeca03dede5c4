"""What imapd's commands take beside Dovecot's: `.venv/bin/python -m bench.imap [options]`.

Both serve the same messages, which are hard links to the same files, over TLS on one connection. For each
number of messages each side does everything once: its first time, when it makes its indexes. Then come rounds
in which the sides take turns. A round selects the mailbox once to let both see what they changed the last
time, and measures over a new connection. What is copied is expunged in the same round.
"""

import argparse
import contextlib
import dataclasses
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.command import add_folder, make_parser, numbers, positive, progress, run_command
from bench.failure import BenchError
from bench.imap_client import Client
from bench.imap_mail import LIST, RARE, SUBJECT, WORD, link_messages, make_messages
from bench.imap_sides import Dovecot, Ours, Side, connect, wait_for_login
from bench.machine import look
from bench.measure import spread, table
from bench.workplace import workplace

BAR = 3.0  # times Dovecot's, at most
SELECT_BAR_MS, SELECT_OF = 100.0, 100_000
SELECTS = 9  # in a round
RESTS_S = 1.2  # until what was read in the moment of a change need not be read once more
EXAMPLE = """\
example:
  python -m bench.imap --messages 1000,20000 --rounds 5
"""


@dataclasses.dataclass(frozen=True)
class Deed:
    """A command that is measured. `found`: it is a search, which finds one message in so many."""

    name: str
    command: str
    found: int = 0


DEEDS = (
    Deed("SELECT", "SELECT {mailbox}"),
    Deed("FETCH flags", "FETCH 1:* (FLAGS)"),
    Deed("FETCH envelopes", "FETCH 1:* (ENVELOPE)"),
    Deed("FETCH bodies", "FETCH 1:* (BODY.PEEK[])"),
    Deed("SEARCH subject", f"SEARCH SUBJECT {SUBJECT}", RARE),
    Deed("SEARCH header", f"SEARCH HEADER List-Id {LIST}", RARE),
    Deed("SEARCH text", f"SEARCH TEXT {WORD}", RARE),
    Deed("STORE", "STORE 1:* +FLAGS (\\Flagged)"),
    Deed("STORE silent", "STORE 1:* -FLAGS.SILENT (\\Flagged)"),
    Deed("COPY", "COPY 1:* {copies}"),
    Deed("SELECT copies", "SELECT {copies}"),
    Deed("STORE deleted", "STORE 1:* +FLAGS.SILENT (\\Deleted)"),
    Deed("EXPUNGE", "EXPUNGE"),
)


@dataclasses.dataclass(frozen=True)
class Taken:
    """What a command took: milliseconds of the clock, and of the server's processors; octets that came."""

    wall_ms: float
    cpu_ms: float
    octets: int


Round = dict[str, Taken]
"""By the names of deeds."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print; the exit status."""
    options = parse(arguments)
    return run_command("bench.imap", lambda: run(options))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; argparse ends the program on wrong ones."""
    parser = make_parser("bench.imap", "Measure what imapd's commands take beside Dovecot's.", EXAMPLE)
    add = parser.add_argument
    add_folder(parser)
    add("--rounds", type=positive, default=3, help="rounds (default: 3)")
    add(
        "--messages",
        type=numbers,
        default=(1000, 20_000, 100_000),
        help="how many lie in the mailbox (default: 1000,20000,100000)",
    )
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Measure each number of messages, and print a table behind each."""
    with workplace(options.dir, must_be_public=True) as place, contextlib.ExitStack() as running:
        if not place.public:
            raise BenchError(f"Dovecot cannot walk to the work folder; name another by --dir. {place.remark}")
        machine = look(place.path)
        print(f"{machine.cores} cores, {machine.processor}; {machine.file_system}; {machine.python}")
        print(
            f"load average before: {machine.load_average:.2f}; flush: median {machine.flush.median_ms:.2f} ms"
        )
        sides: list[Side] = [Ours(place.path / "paperpath"), Dovecot(place.path / "dovecot")]
        for side in sides:
            side.prepare()
            running.callback(side.child.stop)
            side.child.start()
            wait_for_login(side)
            print(f"\n{side.name}: {' '.join(side.child.command)}\n{side.configuration()}")
        print("\n".join(f"{deed.name}: {deed.command}" for deed in DEEDS))
        names = make_messages(place.path / "messages", max(options.messages), sides[1].owner)
        whole: dict[int, list[Round]] = {}
        for messages in sorted(options.messages):
            first, rounds = measure(sides, place.path / "messages", names[:messages], options.rounds)
            print(
                f"\n{messages} messages, {options.rounds} rounds\n{report(messages, first, rounds)}",
                flush=True,
            )
            whole[messages] = [each[sides[0].name] for each in rounds]
        print(f"\nimapd, µs for each message\n{report_growth(whole)}")
    return 0


def measure(
    sides: Sequence[Side], source: Path, names: list[str], rounds: int
) -> tuple[dict[str, Round], list[dict[str, Round]]]:
    """Measure everything; what the first time took each side, and each round."""
    mailbox, copies = f"Has{len(names)}", f"Copies{len(names)}"
    for side in sides:
        link_messages(source, names, side.maildir / f".{mailbox}", side.owner)
        link_messages(source, [], side.maildir / f".{copies}", side.owner)
    time.sleep(RESTS_S)
    first = {side.name: take_round(side, mailbox, copies, len(names)) for side in sides}
    progress(f"{len(names)} messages: the first time is over")
    found: list[dict[str, Round]] = []
    for number in range(rounds):
        ordered = sides if number % 2 == 0 else sides[::-1]
        found.append({side.name: _take_warm_round(side, mailbox, copies, len(names)) for side in ordered})
        progress(f"{len(names)} messages: round {number + 1} is over")
    return first, found


def _take_warm_round(side: Side, mailbox: str, copies: str, messages: int) -> Round:
    time.sleep(RESTS_S)
    client = connect(side)
    client.ask(f"SELECT {mailbox}")
    client.ask(f"SELECT {copies}")
    client.close()
    selected = take_selects(side, mailbox, copies, messages)
    return take_round(side, mailbox, copies, messages) | {DEEDS[0].name: selected}


def take_round(side: Side, mailbox: str, copies: str, messages: int) -> Round:
    """Do everything once, over one connection."""
    client = connect(side)
    taken = {deed.name: take(side, client, deed, mailbox, copies, messages) for deed in DEEDS}
    client.close()
    return taken


def take_selects(side: Side, mailbox: str, copies: str, messages: int) -> Taken:
    """Select over new connections, for once takes too little to be believed; the median one."""
    taken = []
    for _ in range(SELECTS):
        client = connect(side)
        taken.append(take(side, client, DEEDS[0], mailbox, copies, messages))
        client.close()
    return sorted(taken, key=lambda one: one.wall_ms)[SELECTS // 2]


def take(side: Side, client: Client, deed: Deed, mailbox: str, copies: str, messages: int) -> Taken:
    """Do one thing. Raises: BenchError, where a search does not find what there is."""
    before_s = side.child.cpu_seconds()
    answer = client.ask(deed.command.format(mailbox=mailbox, copies=copies), keep=bool(deed.found))
    cpu_ms = 1000 * (side.child.cpu_seconds() - before_s)
    if deed.found:
        found = len(answer.text.split(b"\r\n", 1)[0].split()) - 2
        if found != -(-messages // deed.found):
            raise BenchError(f"{side.name}: {deed.command} found {found} of {messages} messages")
    return Taken(1000 * answer.seconds, cpu_ms, answer.octets)


def report(messages: int, first: dict[str, Round], rounds: Sequence[dict[str, Round]]) -> str:
    """A line for each command: medians with least and greatest, and the first time."""
    ours, theirs = first
    rows = []
    for deed in (each.name for each in DEEDS):
        here = spread(each[ours][deed].wall_ms for each in rounds)
        there = spread(each[theirs][deed].wall_ms for each in rounds)
        ratio = spread(each[ours][deed].wall_ms / each[theirs][deed].wall_ms for each in rounds)
        cpu = [spread(each[side][deed].cpu_ms for each in rounds).median for side in (ours, theirs)]
        once = [f"{first[side][deed].wall_ms:.1f}" for side in (ours, theirs)]
        octets = [str(rounds[-1][side][deed].octets) for side in (ours, theirs)]
        met = ratio.median <= BAR
        if deed == "SELECT" and messages == SELECT_OF:
            met = met and here.median < SELECT_BAR_MS
        row = [deed, here.show(1), there.show(1), ratio.show(2), "yes" if met else "NO"]
        rows.append((*row, *(f"{each:.0f}" for each in cpu), *once, *octets))
    head = ("", f"{ours}, ms", f"{theirs}, ms", "times", f"within {BAR:.0f}", "CPU ms", "Dovecot's")
    return table((*head, "first, ms", "Dovecot's", "octets", "Dovecot's"), rows)


def report_growth(whole: dict[int, list[Round]]) -> str:
    """A line for each command: what a message costs, by how many there are."""
    rows = [
        (
            deed.name,
            *(
                spread(1000 * each[deed.name].wall_ms / messages for each in rounds).show(2)
                for messages, rounds in whole.items()
            ),
        )
        for deed in DEEDS
    ]
    return table(("", *(f"of {messages}" for messages in whole)), rows)


if __name__ == "__main__":
    sys.exit(main())
