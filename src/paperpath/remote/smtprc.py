"""smtprc, the relay client: carries mail to other hosts, for smtprcd, or by hand without any queue."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import click

from paperpath.config.tables import DnsTable, RemoteTable, TlsPolicy
from paperpath.config.via import SMTP_PORT, NextHost, NextSocket
from paperpath.dns.resolver import Resolver
from paperpath.dns.servers import find_servers
from paperpath.mail.address import AddressError, Mailbox, parse_mailbox
from paperpath.mail.reply import Reply
from paperpath.remote.byhand import Errand, run_errand, to_wire_lines
from paperpath.remote.contact import Guide
from paperpath.remote.hops import HopFinder
from paperpath.remote.jobs import Answered
from paperpath.remote.outcomes import read_reply
from paperpath.remote.route import Login, Route, choose_security
from paperpath.remote.tls_policy import make_security_finder
from paperpath.remote.worker import Worker
from paperpath.service.collector import begin_collecting
from paperpath.service.log import open_log
from paperpath.service.printable import format_value
from paperpath.service.program import loop_factory
from paperpath.smtp.observer import NOBODY, Observer

NAME = "smtprc"
CHANNEL_OPTION = "--channel"  # of smtprcd alone


class _Address(click.ParamType[Mailbox]):
    name = "address"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Mailbox:
        text = str(value).removeprefix("<").removesuffix(">")
        try:
            return parse_mailbox(text)
        except AddressError as error:
            self.fail(f"{format_value(text)}: {error}", param, ctx)


class _ReturnPath(click.ParamType[Mailbox | None]):
    name = "address"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Mailbox | None:
        return None if value in ("", "<>") else _Address().convert(value, param, ctx)


class _Shown:
    """Shows the dialogue; the client core leaves secrets out, and what a host says is printable by then."""

    def see_command(self, verb: str) -> None:
        """Show what we say."""
        click.echo(f"> {verb}", err=True)

    def see_reply(self, reply: Reply) -> None:
        """Show what the host says."""
        for line in reply.octets.decode("ascii").splitlines():
            click.echo(f"< {line}", err=True)


@dataclass(frozen=True, slots=True)
class _Options:
    port: int
    mx: bool
    tls: TlsPolicy
    tls_first: bool
    lmtp: bool
    ca_file: Path | None
    user: str | None
    password_file: Path | None
    hello: str
    verbose: bool
    as_json: bool


@click.command(NAME)
@click.argument("host")
@click.argument("sender", type=_ReturnPath())
@click.argument("recipients", metavar="RECIPIENT…", nargs=-1, required=True, type=_Address())
@click.option("--port", type=click.IntRange(1, 65535), default=SMTP_PORT, show_default=True)
@click.option("--mx", is_flag=True, help="HOST is a domain: ask for its mail exchangers.")
@click.option("--tls", type=click.Choice(get_args(TlsPolicy)), default="opportunistic", show_default=True)
@click.option("--tls-first", is_flag=True, help="Begin with TLS, as on port 465.")
@click.option("--lmtp", is_flag=True, help="Speak LMTP; HOST may be the path of a UNIX socket.")
@click.option("--ca-file", type=click.Path(path_type=Path), help="Verify the host by these authorities.")
@click.option("--user", help="Log in; TLS with a verified certificate is needed for that.")
@click.option("--password-file", type=click.Path(path_type=Path), help="Its first line is the password.")
@click.option("--hello", default=socket.getfqdn, show_default="this host", help="Who we say we are.")
@click.option("--verbose", is_flag=True, help="Show the dialogue, without secrets.")
@click.option("--json", "as_json", is_flag=True, help="For scripts: one object for each recipient.")
def by_hand(
    host: str,
    sender: Mailbox | None,
    recipients: tuple[Mailbox, ...],
    **options: Any,  # noqa: ANN401 - click checks them, and `_Options` has their types
) -> None:
    """Deliver a message from standard input now, without the queue, to HOST for each RECIPIENT.

    SENDER may be "" for none. Lines that end in LF go out with CRLF. Exit 0 if all was delivered, 75 if
    something may be later, 69 if something never will be.

    Example: smtprc --port 2525 127.0.0.1 me@example.org you@example.net < letter
    """
    chosen = _Options(**options)
    octets = to_wire_lines(sys.stdin.buffer.read())
    table = RemoteTable(port=chosen.port, loopback=True)
    route = _make_route(host, chosen)
    errand = Errand(route, table, chosen.hello, sender, recipients, octets)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        answers = runner.run(_run(errand, _Shown() if chosen.verbose else NOBODY))
    _print(recipients, answers, as_json=chosen.as_json)
    raise SystemExit(_exit_code(answers))


def main() -> None:
    """Work for smtprcd, where it says over which channel; else by hand."""
    if len(sys.argv) == 3 and sys.argv[1] == CHANNEL_OPTION:
        begin_collecting()
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(Worker(open_log(NAME, "text")).work(socket.socket(fileno=int(sys.argv[2]))))
    else:
        by_hand()


async def _run(errand: Errand, observer: Observer) -> list[Answered]:
    resolver = Resolver(find_servers(DnsTable()))
    try:
        finder = HopFinder(errand.hello, errand.table, resolver)
        security = make_security_finder(errand.table, resolver)
        guide = Guide(finder.find, security.find, lambda _: None)
        return await run_errand(errand, guide, observer)
    finally:
        await resolver.close()


def _make_route(host: str, options: _Options) -> Route:
    if (options.user is None) != (options.password_file is None):
        raise click.UsageError("--user and --password-file go together")
    login = None
    if options.user is not None and options.password_file is not None:
        login = Login(options.user, options.password_file)
    security = choose_security(options.tls, login, options.ca_file)
    return Route(host, () if options.mx else (_choose_host(host, options),), security, login)


def _choose_host(host: str, options: _Options) -> NextHost | NextSocket:
    if options.lmtp and host.startswith("/"):
        return NextSocket(host)
    if options.lmtp and options.port == SMTP_PORT:
        raise click.UsageError("--lmtp needs a --port of its own: 25 is for SMTP alone (RFC 2033 section 5)")
    return NextHost(host.strip("[]"), options.port, options.tls_first, options.lmtp)


def _print(recipients: Sequence[Mailbox], answers: Sequence[Answered], *, as_json: bool) -> None:
    for recipient, answer in zip(recipients, answers, strict=True):
        reply = str(read_reply(answer))
        if as_json:
            facts = {"recipient": str(recipient), "outcome": answer.what, "host": answer.host, "reply": reply}
            click.echo(json.dumps(facts))
        else:
            host = f" by {format_value(answer.host)}" if answer.host else ""
            click.echo(f"{answer.what} {format_value(recipient)}{host}: {format_value(reply)}")


def _exit_code(answers: Sequence[Answered]) -> int:
    if any(answer.what == "failed" for answer in answers):
        return os.EX_UNAVAILABLE
    return os.EX_OK if all(answer.what == "delivered" for answer in answers) else os.EX_TEMPFAIL


if __name__ == "__main__":
    main()
