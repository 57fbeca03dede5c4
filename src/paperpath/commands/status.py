"""`paperpath status`: which programs run, and how they fare, asked of each on its control socket."""

import json
import os
from pathlib import Path
from typing import Any

import click

from paperpath.commands.age import format_age
from paperpath.commands.options import fail, load
from paperpath.service.control import SUPERVISOR, ask, control_folder, list_programs
from paperpath.service.errors import ServiceError
from paperpath.service.printable import format_value
from paperpath.service.program import config_option

_ASK_S = 3.0


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def status(file: Path, as_json: bool) -> None:
    """Say which programs run; exit 0 if all do that should, 69 otherwise.

    Example: paperpath status --config /etc/paperpath/paperpath.toml
    """
    folder = control_folder(load(file))
    rows = gather(folder)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    elif not rows:
        fail("nothing is running", os.EX_UNAVAILABLE)
    else:
        for row in rows:
            _print(row)
    well = rows and all("error" not in row for row in rows)
    raise SystemExit(os.EX_OK if well else os.EX_UNAVAILABLE)


def gather(folder: Path) -> list[dict[str, Any]]:
    """Ask every program that has a socket, and the supervisor for those that have none."""
    supervised: dict[str, dict[str, Any]] = {}
    try:
        programs = ask(folder, SUPERVISOR, "programs", _ASK_S)["programs"]
        supervised = {program["name"]: program for program in programs}
    except ServiceError:
        pass  # then it is among those that do not answer, or there is none
    rows = []
    for name in sorted({*list_programs(folder), *supervised}):
        known = {"restarts": supervised[name]["restarts"]} if name in supervised else {}
        try:
            rows.append({**ask(folder, name, "status", _ASK_S), **known})
        except ServiceError as error:
            rows.append({"name": name, **known, "error": str(error)})
    return rows


def _print(row: dict[str, Any]) -> None:
    if "error" in row:
        click.echo(f"{row['name']:10} {format_value(row['error'])}")
        return
    restarts = f", started anew {row['restarts']} times" if row.get("restarts") else ""
    click.echo(f"{row['name']:10} {row['pid']:>7}  {format_age(row['up_s']):>8}  {row['status']}{restarts}")
