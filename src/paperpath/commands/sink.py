"""`paperpath sink`: an SMTP or LMTP server that takes mail, and fails as it is told."""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from paperpath.commands.options import fail
from paperpath.config.endpoint import Endpoint, parse_endpoint
from paperpath.service.errors import ServiceError
from paperpath.service.program import loop_factory
from paperpath.smtp.sasl import EXTERNAL, MECHANISMS
from paperpath.testing.sink import Sink
from paperpath.testing.sink_books import Books
from paperpath.testing.sink_options import SinkOptions, StartTls
from paperpath.testing.sink_script import Stage, read_deed

Command = Callable[..., Any]

_MECHANISMS = [name for name in MECHANISMS if name != EXTERNAL]


def _read_endpoints(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[Endpoint, ...]:
    try:
        return tuple(map(parse_endpoint, values))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _read_script(_: click.Context, parameter: click.Parameter, value: str) -> str:
    if value and read_deed(value, Stage.GREETING) is None:
        raise click.BadParameter(f"{value} is no word of docs/sink.md")
    return value


_OPTIONS: tuple[Callable[[Command], Command], ...] = (
    click.option(
        "--listen",
        metavar="ADDRESS:PORT",
        multiple=True,
        default=("127.0.0.1:2626",),
        show_default=True,
        callback=_read_endpoints,
        help="Where; may be given several times.",
    ),
    click.option("--socket", type=click.Path(path_type=Path), help="Listen on this UNIX socket, too."),
    click.option("--lmtp", is_flag=True, help="Speak LMTP: LHLO, and a reply for each recipient."),
    click.option("--remote", is_flag=True, help="Listen on addresses that other hosts reach, too."),
    click.option("--hostname", default="sink.example", show_default=True, help="Our name."),
    click.option(
        "--greeting", metavar="WORD", default="", callback=_read_script, help="421, 554, stall, ..."
    ),
    click.option("--stall-greeting", is_flag=True, help="Never greet."),
    click.option(
        "--greeting-delay", "greeting_delay_s", type=click.FloatRange(0), default=0, help="Seconds."
    ),
    click.option(
        "--ehlo", metavar="WORD", default="", callback=_read_script, help="Answer EHLO and HELO so."
    ),
    click.option("--refuse-ehlo", "helo_only", is_flag=True, help="Know HELO only."),
    click.option("--no-pipelining", "pipelining", flag_value=False, default=True, help="Do not offer it."),
    click.option("--no-8bitmime", "eight_bit", flag_value=False, default=True, help="Do not offer it."),
    click.option("--no-smtputf8", "smtputf8", flag_value=False, default=True, help="Do not offer it."),
    click.option("--no-dsn", "dsn", flag_value=False, default=True, help="Do not offer it."),
    click.option("--no-size", "announces_size", flag_value=False, default=True, help="Do not offer it."),
    click.option(
        "--size", type=click.IntRange(0), default=100 * 2**20, show_default=True, help="In octets; 0: any."
    ),
    click.option("--limits", metavar="TEXT", default="", help='Announce, and keep: "RCPTMAX=2 MAILMAX=3".'),
    click.option(
        "--recipients",
        type=click.IntRange(1),
        default=1000,
        show_default=True,
        help="Take so many for one message.",
    ),
    click.option(
        "--recipients-code", type=int, default=452, show_default=True, help="What the next one gets."
    ),
    click.option("--chunking", is_flag=True, help="Offer BDAT."),
    click.option("--binarymime", "binary", is_flag=True, help="Offer BODY=BINARYMIME."),
    click.option("--tls", is_flag=True, help="Offer STARTTLS, with a self-signed certificate."),
    click.option("--smtps", "tls_at_once", is_flag=True, help="Begin with TLS."),
    click.option("--certificate", type=click.Path(path_type=Path), help="For TLS; PEM, its chain behind it."),
    click.option("--key", type=click.Path(path_type=Path), help="Of the certificate."),
    *(
        click.option(f"--starttls-{how.value}", "starttls", flag_value=how.value, help=text)
        for how, text in (
            (StartTls.REFUSE, "Offer STARTTLS, and refuse it."),
            (StartTls.THEN_PLAIN, "Promise TLS, and go on in the clear."),
            (StartTls.INJECT, "Send another reply with that to STARTTLS, before TLS begins."),
            (StartTls.CUT, "Promise TLS, and close."),
            (StartTls.STALL, "Promise TLS, and say nothing more."),
        )
    ),
    click.option("--user", default="", help="Who must log in."),
    click.option(
        "--mechanism",
        "mechanisms",
        type=click.Choice(_MECHANISMS, case_sensitive=False),
        multiple=True,
        default=("PLAIN", "LOGIN"),
        show_default=True,
        help="How; once for each way.",
    ),
    click.option("--password-file", type=click.Path(path_type=Path), help="The first line is the password."),
    click.option("--auth-garbage", is_flag=True, help="Give challenges that nobody can read."),
    click.option(
        "--random",
        type=click.FloatRange(0, 1),
        default=0.5,
        show_default=True,
        help="How probably random@ fails.",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Of chance."),
    click.option("--all-random", is_flag=True, help="Every connection, sender and recipient may fail so."),
    click.option(
        "--stall-for",
        "stall_s",
        metavar="SECONDS",
        type=click.FloatRange(0),
        default=3600,
        show_default=True,
        help="After that, cut who is stalled.",
    ),
    click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Write messages there."),
    click.option("--json", "as_json", is_flag=True, help="Print every event as a line of JSON."),
)


def _with_options(command: Command) -> Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command()
@_with_options
def sink(
    remote: bool,
    stall_greeting: bool,
    recipients_code: str,
    tls: bool,
    starttls: str | None,
    password_file: Path | None,
    as_json: bool,
    **others: Any,  # noqa: ANN401 - the fields of SinkOptions, as the options above name them
) -> None:
    """Take mail, and fail as addresses say: tempfail@, 421-at-data@, disconnect-after-dot@, lies@.

    SIGUSR1 prints what was taken so far, Ctrl-C and SIGTERM end.

    Example: paperpath sink --listen 127.0.0.1:2626 --keep taken --random 0.3
    """
    if stall_greeting:
        others["greeting"] = "stall"
    options = SinkOptions(
        **others,
        recipients_code=int(recipients_code),
        tls=tls or starttls is not None,
        starttls=StartTls(starttls or StartTls.HONEST),
        password=_read_password(others["user"], password_file),
        remembers=False,
    )
    for endpoint in options.listen:
        if not (endpoint.is_loopback or remote):
            fail(f"{endpoint}: other hosts reach that, and this server lies; --remote allows it", os.EX_USAGE)
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_serve(options, as_json=as_json))
    except ServiceError as error:
        fail(error, error.exit_code)


def _read_password(user: str, file: Path | None) -> str:
    if bool(user) is not (file is not None):
        fail("--user and --password-file belong together", os.EX_USAGE)
    if file is None:
        return ""
    try:
        return file.read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file}: cannot be read: {error}", os.EX_NOINPUT)


async def _serve(options: SinkOptions, *, as_json: bool) -> None:
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end.set)
    async with Sink(options, _print_json if as_json else None) as running:
        loop.add_signal_handler(signal.SIGUSR1, lambda: _summarise(running.books, as_json=as_json))
        addresses = [str(endpoint) for endpoint in running.endpoints]
        if as_json:
            _print_json({"event": "listening", "addresses": addresses})
        else:
            click.echo(f"listening on {', '.join(addresses)}; Ctrl-C ends")
        await end.wait()
    _summarise(running.books, as_json=as_json)


def _print_json(event: dict[str, Any]) -> None:
    click.echo(json.dumps(event))


def _summarise(books: Books, *, as_json: bool) -> None:
    summary = asdict(books.summarise())
    if as_json:
        _print_json({"event": "summary", **summary})
        return
    for name, value in summary.items():
        if isinstance(value, dict):
            for what, count in sorted(value.items()):
                click.echo(f"{name[:-1]:12} {count:>8}  {what}")
        else:
            click.echo(f"{name:12} {value:>8}")
