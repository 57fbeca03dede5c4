"""One session on standard input and output, for tcpserver, inetd, systemd, ssh and tests: `--stdio`.

The program is started for one client and ends with it; however many run, they and the daemon do not meet but
in the maildrop. Who the client is says the socket, or else the environment; what it may, an argument, the
environment, or else the configured rules (requirement C-9). Nobody gets more for being unknown: a client on a
pipe is a normal one, for the pipe may come from anywhere. Where it is said to be privileged, it is the user
that started the program who submits, as on the socket for users of this host.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from paperpath.intake.access import ServiceClass, parse_service_class
from paperpath.intake.guest import Door
from paperpath.intake.opening import Opening
from paperpath.intake.service import Service
from paperpath.intake.serving import open_keys
from paperpath.intake.sessions import Sessions
from paperpath.intake.ucspi import Visitor, clean_address, find_client, find_service
from paperpath.service.errors import ServiceError
from paperpath.service.privileges import refuse_strangers
from paperpath.service.program import Life, run_errand
from paperpath.service.pump import Pump
from paperpath.service.standard_streams import StandardStreams, take_standard_streams

_DRAIN_S = 10.0
_FINISH_S = 30.0  # for whoever reads a pipe to have read what we said last


@dataclass(frozen=True, slots=True)
class Visit:
    """A client, and what leads to it."""

    visitor: Visitor
    streams: StandardStreams


Receive = Callable[[Life, Visit], Awaitable[None]]


class _ServiceParameter(click.ParamType[ServiceClass]):
    name = "level"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> ServiceClass:
        try:
            return parse_service_class(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _want_stdio(ctx: click.Context, _: click.Parameter, value: ServiceClass | None) -> ServiceClass | None:
    if value is not None and not ctx.params["stdio"]:
        raise click.UsageError("--access goes with --stdio")
    return value


def stdio_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of this module: `stdio` and `access`."""
    stdio = click.option(
        "--stdio", is_flag=True, is_eager=True, help="Serve one client on standard input and output, and end."
    )
    access = click.option(
        "--access",
        type=_ServiceParameter(),
        callback=_want_stdio,
        help="What that client may do: deny, null (0), normal (1) or privileged (2).",
    )
    return stdio(access(command))


def run_stdio(
    name: str, file: Path, access: ServiceClass | None, receive: Receive, *, asks_clients: bool = False
) -> int:
    """Serve one client to its end, as the service user; return the exit code, one of sysexits."""
    try:
        visit = _find_visit(name, access)
    except ServiceError as error:
        click.echo(f"{name}: {error}", err=True)
        return error.exit_code

    async def run(life: Life) -> int:
        refuse_strangers(life.configuration.data)
        await receive(life, visit)
        return os.EX_OK

    return run_errand(name, file, run, lambda life: open_keys(life, asks_clients=asks_clients))


def _find_visit(name: str, access: ServiceClass | None) -> Visit:
    """Find out who has come, and what was decided about that. Raises: ServiceError."""
    streams = take_standard_streams(name)
    try:
        service = find_service(access, os.environ)
    except ValueError as error:
        raise ServiceError(str(error), os.EX_CONFIG) from error
    host, port = streams.find_peer()
    address, port = (clean_address(host), port) if host else find_client(os.environ)
    uid = os.getuid() if not address and service is ServiceClass.PRIVILEGED else None
    return Visit(Visitor(address, port, service, uid), streams)


async def serve_visit(life: Life, service: Service, visit: Visit) -> None:
    """Serve until the session ends, or a signal asks for the end: then it finishes what it began."""
    loop, sessions, streams = asyncio.get_running_loop(), Sessions(), visit.streams
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, life.end)
    pump = None if streams.is_connection else Pump(streams.source, streams.target)
    connection = socket.socket(fileno=streams.source) if pump is None else pump.socket
    connection.setblocking(False)
    await loop.connect_accepted_socket(
        lambda: Opening(service, sessions, Door.CLEAR, visit.visitor), connection
    )
    ends = {asyncio.create_task(life.wait_for_end()), asyncio.create_task(sessions.wait_until_none())}
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    await sessions.end(_DRAIN_S)
    for end in ends:
        end.cancel()
    if pump is not None:
        await asyncio.to_thread(pump.finish, _FINISH_S)
