"""`paperpath bench send`: sends a load to a server and says what came of it.

Without a server it makes an installation to measure. The measuring itself is in `paperpath.load`.
"""

import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from paperpath.commands.bench_descriptors import allow_connections
from paperpath.commands.bench_measuring import Aim, measure_own, measure_server
from paperpath.commands.bench_options import Typed, make_load, spell_again, with_load_options
from paperpath.commands.bench_signals import asked_to_end, interrupt
from paperpath.commands.options import fail
from paperpath.load.plot import draw_reports
from paperpath.load.report import Report
from paperpath.load.watch import WatchError
from paperpath.service.errors import ServiceError

_EX_INCOMPLETE, _EX_INTERRUPTED = 1, 130


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
                reports = measure_own(planned, aim, typed.wait)
            else:
                reports = [measure_server(target, planned, aim, typed.wait)]
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


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{file}: {error.strerror}", os.EX_CANTCREAT)
