"""The options of `paperpath bench send`: what is typed, as a load; and how to say the same again.

Called by bench_send.py. What contradicts itself is refused here, in words for who typed it.
"""

import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import click

from paperpath.commands.options import fail
from paperpath.commands.password_file import read_password_file
from paperpath.load.plan import Load, Protocol, Security, parse_sizes
from paperpath.mail.address import AddressError, parse_mailbox

Command = Callable[..., Any]

MESSAGES_UNASKED = 5000
_MOST_CONNECTIONS = 20_000
_MOST_RECIPIENTS = 1000
_ALWAYS = ("messages", "connections", "size")  # what is said again even where nobody said it

_OPTIONS: tuple[Callable[[Command], Command], ...] = (
    click.option("--to", metavar="ADDRESS", multiple=True, help="To whom; several take turns."),
    click.option(
        "--from",
        "sender",
        metavar="ADDRESS",
        default="load@source.test",
        show_default=True,
        help="From whom.",
    ),
    click.option(
        "--messages", type=click.IntRange(1), help=f"How many in all.  [default: {MESSAGES_UNASKED}]"
    ),
    click.option(
        "--duration", metavar="SECONDS", type=click.FloatRange(0, min_open=True), help="Instead: for so long."
    ),
    click.option(
        "--rate",
        metavar="NUMBER",
        type=click.FloatRange(0, min_open=True),
        help="Messages a second, sent when they are due.  [default: as fast as possible]",
    ),
    click.option(
        "--connections",
        type=click.IntRange(1, _MOST_CONNECTIONS),
        default=20,
        show_default=True,
        help="At once.",
    ),
    click.option(
        "--per-connection",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        help="Messages over each; 1: a connection for every message; 0: all.",
    ),
    click.option(
        "--size",
        metavar="SIZES",
        default="4KiB",
        show_default=True,
        help="Of a message, in octets; or several with their shares: 4KiB:80,100KiB:20.",
    ),
    click.option(
        "--recipients",
        type=click.IntRange(1, _MOST_RECIPIENTS),
        default=1,
        show_default=True,
        help="Of each message. Where --to names fewer, details make them distinct: me+1@example.test.",
    ),
    click.option("--no-pipelining", "pipelining", flag_value=False, default=True, help="Await each reply."),
    click.option("--lmtp", is_flag=True, help="Speak LMTP."),
    click.option("--starttls", is_flag=True, help="Begin TLS by STARTTLS on each connection."),
    click.option("--smtps", is_flag=True, help="Begin with TLS."),
    click.option("--user", default="", help="Log in, by PLAIN inside TLS."),
    click.option("--password-file", type=click.Path(path_type=Path), help="The first line is the password."),
    click.option(
        "--timeout",
        metavar="SECONDS",
        type=click.FloatRange(0, min_open=True),
        default=60.0,
        show_default=True,
        help="For any reply.",
    ),
    click.option(
        "--wait",
        metavar="SECONDS",
        type=click.FloatRange(0),
        default=30.0,
        show_default=True,
        help="End when nothing more has arrived for so long.",
    ),
)


@dataclass(frozen=True)
class Typed:
    """What was typed of the load. The fields have the names of the options."""

    to: tuple[str, ...]
    sender: str
    messages: int | None
    duration: float | None
    rate: float | None
    connections: int
    per_connection: int
    size: str
    recipients: int
    pipelining: bool
    lmtp: bool
    starttls: bool
    smtps: bool
    user: str
    password_file: Path | None
    timeout: float
    wait: float


def with_load_options(command: Command) -> Command:
    """Give a command the options of a load."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def make_load(typed: Typed) -> Load:
    """Make a load of what was typed; exit where it contradicts itself."""
    if typed.messages is not None and typed.duration is not None:
        _refuse("--messages and --duration both say when to end; give one")
    if typed.starttls and typed.smtps:
        _refuse("--starttls and --smtps: TLS begins once; give one")
    if typed.lmtp and typed.smtps:
        _refuse("--lmtp with --smtps: no port for LMTP begins with TLS")
    if bool(typed.user) is not (typed.password_file is not None):
        _refuse("--user and --password-file belong together")
    if typed.user and not (typed.starttls or typed.smtps):
        _refuse("--user sends a password, and that takes --starttls or --smtps")
    try:
        sizes = parse_sizes(typed.size)
    except ValueError as error:
        _refuse(f"--size: {error}")
    for option, address in [("--from", typed.sender), *(("--to", address) for address in typed.to)]:
        _judge_address(option, address)
    security = Security.STARTTLS if typed.starttls else Security.AT_ONCE if typed.smtps else Security.NONE
    has_end = typed.messages is not None or typed.duration is not None
    return Load(
        sender=typed.sender,
        addresses=typed.to,
        sizes=sizes,
        recipients=typed.recipients,
        connections=typed.connections,
        per_connection=typed.per_connection,
        messages=typed.messages if has_end else MESSAGES_UNASKED,
        duration_s=typed.duration,
        rate=typed.rate,
        pipelining=typed.pipelining,
        protocol=Protocol.LMTP if typed.lmtp else Protocol.SMTP,
        security=security,
        user=typed.user,
        password="" if typed.password_file is None else read_password_file(typed.password_file),
        timeout_s=typed.timeout,
    )


def spell_again(context: click.Context) -> str:
    """Write the command line that does the same again, and names what another default would change."""
    words = ["paperpath", "bench"]
    for parameter in context.command.params:
        name = parameter.name or ""
        value = context.params[name]
        if name == "messages" and value is None and context.params["duration"] is None:
            value = MESSAGES_UNASKED
        if isinstance(parameter, click.Argument):
            words += [] if value is None else [str(value)]
        elif value not in (None, ()) and (value != parameter.get_default(context) or name in _ALWAYS):
            words += _spell(parameter.opts[0], value)
    return shlex.join(words)


def _spell(option: str, value: object) -> list[str]:
    if isinstance(value, bool):
        return [option]
    values = value if isinstance(value, tuple) else (value,)
    return [
        word for each in values for word in (option, f"{each:g}" if isinstance(each, float) else str(each))
    ]


def _judge_address(option: str, text: str) -> None:
    try:
        address = parse_mailbox(text)
    except AddressError as error:
        _refuse(f"{option}: {text}: {error}")
    if not address.domain or not text.isascii():
        _refuse(f"{option}: {text}: expected an address in ASCII, with a domain")


def _refuse(reason: str) -> NoReturn:
    fail(reason, os.EX_USAGE)
