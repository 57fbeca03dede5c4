"""What `paperpath bench send` measures: a server that runs, or an installation of its own, both ways.

Called by bench_send.py, which says what came of it.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import click

from paperpath.commands.bench_installation import ELSEWHERE, HERE, MAILBOX, Installation, installation
from paperpath.commands.bench_running import describe_durability, find_maildir, find_roots
from paperpath.commands.bench_signals import asked_to_end
from paperpath.commands.bench_target import find_server, parse_target
from paperpath.commands.options import fail, load
from paperpath.load.measurement import Measurement, make_run_name
from paperpath.load.plan import Load, Security
from paperpath.load.report import Report
from paperpath.load.source import Source
from paperpath.load.watch import MaildirWatch, SinkWatch, Watch

_UNKNOWN = "durability unknown"


@dataclass(frozen=True)
class Aim:
    """What is measured besides the load itself. The fields have the names of the options."""

    yes_this_host: str
    config: Path | None
    maildir: Path | None
    sink: str | None
    durability: str | None
    directory: Path | None
    keep: Path | None


def measure_server(target: str, planned: Load, aim: Aim, wait_s: float) -> Report:
    """Measure a server that runs. Raises: ServiceError, WatchError."""
    server = find_server(target, allowed=aim.yes_this_host, secure=planned.security is not Security.NONE)
    configuration = None if aim.config is None else load(aim.config)
    run_name = make_run_name()
    watch: Watch | None = None
    if aim.sink is not None:
        watch = SinkWatch(parse_target(aim.sink, "--sink"), run_name)
    elif aim.maildir is not None:
        watch = MaildirWatch(aim.maildir)
    elif configuration is not None and (maildir := find_maildir(configuration, planned.addresses)):
        watch = MaildirWatch(maildir)
    known = None if configuration is None else describe_durability(configuration)
    durability = aim.durability or known or _UNKNOWN
    roots = {} if configuration is None else find_roots(configuration)
    return _run(Measurement(target, durability, planned, server, run_name, watch, roots, wait_s))


def measure_own(planned: Load, aim: Aim, wait_s: float) -> list[Report]:
    """Make an installation, measure it both ways, and end it. Raises: ServiceError, WatchError."""
    with _choose_folder(aim) as folder:
        most = max(share.octets for share in planned.sizes)
        with installation(
            folder,
            connections=max(1000, 2 * planned.connections),
            recipients=max(100, planned.recipients),
            size=most // 2**20 + 1,
        ) as running:
            reports = []
            for title, domain, watch in (
                ("relay in to Maildir", HERE, lambda _: MaildirWatch(running.maildir)),
                ("relay in to sink", ELSEWHERE, lambda run: SinkWatch(("127.0.0.1", running.sink_port), run)),
            ):
                part = replace(planned, addresses=(f"{MAILBOX}@{domain}",))
                reports.append(_measure_way(title, part, running, watch, wait_s))
                if reports[-1].is_interrupted:
                    break
            return reports


def _measure_way(
    title: str, planned: Load, running: Installation, make_watch: Callable[[str], Watch], wait_s: float
) -> Report:
    run_name = make_run_name()
    server = find_server(f"127.0.0.1:{running.port}", allowed="", secure=False)
    roots = {running.pid: "", running.sink_pid: "sink"}
    durability = describe_durability(running.configuration)
    measurement = Measurement(
        title, durability, planned, server, run_name, make_watch(run_name), roots, wait_s
    )
    return _run(measurement)


def _run(measurement: Measurement) -> Report:
    """Measure; Ctrl-C ends it with what was seen so far."""
    if sys.stderr.isatty():
        measurement.tell = _show_progress
    try:
        with asked_to_end(measurement.interrupt):
            return measurement.run()
    finally:
        if sys.stderr.isatty():
            click.echo("\r\033[K", err=True, nl=False)


def _show_progress(source: Source, arrived: int) -> None:
    tally = source.tally
    click.echo(f"\r\033[K{tally.accepted} accepted, {arrived} arrived", err=True, nl=False)


@contextmanager
def _choose_folder(aim: Aim) -> Iterator[Path]:
    """Give the folder of the installation, which is removed afterwards unless it is kept."""
    if aim.keep is not None:
        if aim.keep.exists():
            fail(f"{aim.keep} is there already; --keep takes a new folder", os.EX_CANTCREAT)
        yield aim.keep
        return
    try:
        made = tempfile.TemporaryDirectory(prefix="paperpath-bench-", dir=aim.directory)
    except OSError as error:
        fail(f"{aim.directory or tempfile.gettempdir()}: {error.strerror}", os.EX_CANTCREAT)
    with made as name:
        yield Path(name) / "site"
