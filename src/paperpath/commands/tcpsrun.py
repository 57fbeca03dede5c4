"""`tcpsrun`: listens on a port, and runs a program for each client (requirements L-12 to L-17).

The program has the connection as its standard input and output, what UCSPI says of it in its environment, and
the client's access level there and among its arguments.
"""

import asyncio
import os
import signal
import socket
from dataclasses import replace
from pathlib import Path

import click

from paperpath.commands.tcpsrun_errands import Errands, Source
from paperpath.config.endpoint import Endpoint
from paperpath.config.network import parse_address
from paperpath.config.tables import DnsTable
from paperpath.dns.resolver import Resolver
from paperpath.dns.servers import find_servers
from paperpath.service.errors import ServiceError
from paperpath.service.listener import open_listeners
from paperpath.service.log import Log, open_log
from paperpath.service.notify import notify
from paperpath.service.privileges import Identity, become, find_group, find_identity
from paperpath.service.program import loop_factory
from paperpath.service.spawner import Spawner

NAME = "tcpsrun"


def _read_address(_: click.Context, __: click.Parameter, value: str) -> str:
    try:
        return parse_address(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(NAME, context_settings={"allow_interspersed_args": False})
@click.argument("address", callback=_read_address)
@click.argument("port", type=click.IntRange(0, 65535))
@click.argument("words", metavar="[PROGRAM [ARGUMENT…]]", nargs=-1, type=click.UNPROCESSED)
@click.option("-f", "--run-file", type=click.Path(path_type=Path), help="The command stands in this file.")
@click.option("-x", "--rules", type=click.Path(path_type=Path), help="Who gets which access level.")
@click.option(
    "-c",
    "--most",
    type=click.IntRange(1),
    default=40,
    show_default=True,
    help="Programs at once; others wait.",
)
@click.option("-u", "--user", help="Whom to become, once the port is open.")
@click.option("-g", "--group", help="Of the user; else its own groups.")
def main(
    address: str,
    port: int,
    words: tuple[str, ...],
    run_file: Path | None,
    rules: Path | None,
    most: int,
    user: str | None,
    group: str | None,
) -> None:
    """Listen on a port, and run a program for each client.

    It has the connection as its standard input and output. In its arguments %4 stands for the client's access
    level; the manual has the other marks.

    Example: tcpsrun -u paperpath -x rules 192.0.2.25 25 smtprd --stdio --access %4 --config paperpath.toml
    """
    if bool(words) == (run_file is not None):
        raise click.UsageError("expected a program, or --run-file, and not both")
    if group is not None and user is None:
        raise click.UsageError("--group goes with --user")
    log = open_log(NAME)
    try:
        listener = _listen(address, port)
        become(_choose_identity(user, group))
        if os.geteuid() == 0:
            log.warning("runs as root, and so does the program, since no --user is given")
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_serve(listener, Source(words, run_file, rules), most, log))
    except ServiceError as error:
        log.error("cannot go on", reason=str(error))
        raise SystemExit(error.exit_code) from None


def _listen(address: str, port: int) -> socket.socket:
    (listener,) = open_listeners(NAME, [Endpoint(address, port)])
    return listener


def _choose_identity(user: str | None, group: str | None) -> Identity | None:
    """Return whom to become; nobody, if we are that already. Raises: ServiceError."""
    identity = find_identity(user)
    if group is None:
        return identity
    gid = find_group(group)
    if identity is not None:
        return replace(identity, gid=gid, groups=(gid,))
    if os.getegid() != gid:
        raise ServiceError(f"group: only root can become {group}", os.EX_NOPERM)
    return None


async def _serve(listener: socket.socket, source: Source, most: int, log: Log) -> None:
    """Serve until a signal asks for the end; then all programs end first. Raises: ServiceError."""
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    resolver = Resolver(find_servers(DnsTable()))
    try:
        spawner = Spawner(listener, most, Errands(source, resolver, log).choose, log)
        serving = asyncio.create_task(spawner.serve())
        status = f"listening on {Endpoint(*listener.getsockname()[:2])}"
        log.info("ready", status=status)
        notify(READY="1", STATUS=status)
        await ending.wait()
        notify(STOPPING="1")
        serving.cancel()
        await asyncio.wait({serving})
        listener.close()
        await spawner.end()
    finally:
        await resolver.close()
    log.info("ended")


if __name__ == "__main__":
    main()
