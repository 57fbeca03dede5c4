"""`paperpath bench send`: sends a load to a server and says what came of it.

Without a server it makes an installation to measure. The measuring itself is in `paperpath.load`.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import click

from paperpath.commands.bench_descriptors import allow_connections
from paperpath.commands.bench_installation import ELSEWHERE, HERE, MAILBOX, Installation, installation
from paperpath.commands.bench_options import Typed, make_load, spell_again, with_load_options
from paperpath.commands.bench_running import describe_durability, find_maildir, find_roots
from paperpath.commands.bench_signals import asked_to_end, interrupt
from paperpath.commands.bench_target import find_server, parse_target
from paperpath.commands.options import fail, load
from paperpath.load.measurement import Measurement, make_run_name
from paperpath.load.plan import Load, Security
from paperpath.load.plot import draw_reports
from paperpath.load.report import Report
from paperpath.load.source import Source
from paperpath.load.watch import MaildirWatch, SinkWatch, Watch, WatchError
from paperpath.service.errors import ServiceError

_EX_INCOMPLETE, _EX_INTERRUPTED = 1, 130
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


@click.command()
@click.argument("target", metavar="[HOST:PORT]", required=False)
@with_load_options
@click.option("--yes-this-host", metavar="HOST", default="", help="The HOST again, where it is not this one.")
@click.option(
    "--config", type=click.Path(path_type=Path), help="Of the running installation behind HOST:PORT."
)
@click.option("--maildir", type=click.Path(path_type=Path), help="Where the mail arrives, and nothing else.")
@click.option("--sink", metavar="HOST:PORT", help="The `paperpath bench sink` where the mail arrives.")
@click.option("--durability", metavar="TEXT", help="What the server does before its 250, for the report.")
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Without HOST:PORT: make the temporary folder there, such as on another disk.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Likewise: in this new folder, and keep it.",
)
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw it over time, as SVG.")
@click.pass_context
def send(
    context: click.Context,
    /,
    target: str | None,
    as_json: bool,
    plot: Path | None,
    **options: Any,  # noqa: ANN401 - the fields of Typed and Aim, as the options name them
) -> None:
    """Send mail to HOST:PORT, or a local socket, as fast as possible or at a rate, and say what came of it.

    Reported are messages accepted and delivered a second, the time from the final dot to the 250, and with
    --config the CPU and memory of the programs. Without HOST:PORT an installation is made, measured and
    removed: once relaying into a Maildir, once on to a sink. Ctrl-C ends with what was seen so far.

    Exit codes: 0 all was accepted and arrived, 1 not all, 69 nothing was accepted, 130 interrupted.

    Example: paperpath bench send 127.0.0.1:2525 --to me@example.test --config var/paperpath.toml
    """
    typed = Typed(**{each.name: options.pop(each.name) for each in fields(Typed)})
    aim = Aim(**options)
    _refuse_contradictions(target, typed, aim)
    planned = make_load(typed)
    most = allow_connections()
    if planned.connections > most:
        fail(f"--connections: this user may have {most}, by the limit on open files", os.EX_USAGE)
    try:
        with asked_to_end(interrupt):
            if target is None:
                reports = _measure_own(planned, aim, typed.wait)
            else:
                reports = [_measure_server(target, planned, aim, typed.wait)]
    except ServiceError as error:
        fail(error, error.exit_code)
    except WatchError as error:
        fail(error, os.EX_NOINPUT)
    _tell(reports, spell_again(context), as_json=as_json)
    if plot is not None:
        _write(plot, draw_reports(reports))
    raise SystemExit(_choose_exit(reports))


def _refuse_contradictions(target: str | None, typed: Typed, aim: Aim) -> None:
    if target is None:
        others = (aim.yes_this_host, aim.config, aim.maildir, aim.sink, aim.durability, typed.to, typed.user)
        if any(others) or typed.lmtp or typed.starttls or typed.smtps:
            fail("that is about a server that runs already, and HOST:PORT is missing", os.EX_USAGE)
        if aim.directory is not None and aim.keep is not None:
            fail("--dir and --keep both say where; give one", os.EX_USAGE)
        return
    if not typed.to:
        fail("--to is missing: whose mail is it?", os.EX_USAGE)
    if aim.directory is not None or aim.keep is not None:
        fail(
            "--dir and --keep are for the installation that is made where there is no HOST:PORT", os.EX_USAGE
        )
    if aim.maildir is not None and aim.sink is not None:
        fail("--maildir and --sink both say where mail arrives; give one", os.EX_USAGE)


def _measure_server(target: str, planned: Load, aim: Aim, wait_s: float) -> Report:
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


def _measure_own(planned: Load, aim: Aim, wait_s: float) -> list[Report]:
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


def _tell(reports: list[Report], again: str, *, as_json: bool) -> None:
    if as_json:
        described = [report.describe() for report in reports]
        click.echo(json.dumps({"repeat": again, "reports": described}, indent=2))
        return
    for report in reports:
        for line in report.lines():
            click.echo(line)
    click.echo(f"Again: {again}")


def _choose_exit(reports: list[Report]) -> int:
    if any(report.is_interrupted for report in reports):
        return _EX_INTERRUPTED
    if not any(report.tally.accepted for report in reports):
        return os.EX_UNAVAILABLE
    return os.EX_OK if all(report.is_complete for report in reports) else _EX_INCOMPLETE


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


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{file}: {error.strerror}", os.EX_CANTCREAT)
