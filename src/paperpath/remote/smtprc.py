"""smtprc, the relay client: carries mail to other hosts, for smtprcd, or by hand without any queue."""

import asyncio
import json
import os
import socket
import sys
from pathlib import Path
from typing import get_args

import click

from paperpath.config.endpoint import format_endpoint
from paperpath.config.tables import DnsTable, RemoteTable, TlsPolicy
from paperpath.config.via import NextHost
from paperpath.mail.address import AddressError, Mailbox, parse_mailbox
from paperpath.mail.reply import Reply
from paperpath.remote.byhand import Errand, run_errand, to_wire_lines
from paperpath.remote.hops import HopFinder
from paperpath.remote.jobs import Answered
from paperpath.remote.outcomes import read_reply
from paperpath.remote.route import Login, Route, Security
from paperpath.remote.worker import Worker
from paperpath.service.log import format_value, open_log
from paperpath.service.program import loop_factory

NAME = "smtprc"


class _Address(click.ParamType):
    name = "address"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Mailbox | None:
        text = str(value).removeprefix("<").removesuffix(">")
        if not text:
            return None
        try:
            return parse_mailbox(text)
        except AddressError as error:
            self.fail(f"{format_value(text)}: {error}", param, ctx)


class _Shown:
    """Shows the dialogue; the client core leaves secrets out, and what a host says is printable by then."""

    def see_command(self, verb: str) -> None:
        """Show what we say."""
        click.echo(f"> {verb}", err=True)

    def see_reply(self, reply: Reply) -> None:
        """Show what the host says."""
        for line in reply.octets.decode("ascii").splitlines():
            click.echo(f"< {line}", err=True)


class _Unseen:
    """Shows nothing."""

    def see_command(self, verb: str) -> None:
        """Pass over what we say."""

    def see_reply(self, reply: Reply) -> None:
        """Pass over what the host says."""


@click.command(NAME)
@click.argument("host")
@click.argument("sender", type=_Address())
@click.argument("recipients", metavar="RECIPIENT…", nargs=-1, required=True, type=_Address())
@click.option("--port", type=click.IntRange(1, 65535), default=25, show_default=True)
@click.option("--mx", is_flag=True, help="HOST is a domain: ask for its mail exchangers.")
@click.option("--tls", type=click.Choice(get_args(TlsPolicy)), default="opportunistic", show_default=True)
@click.option("--tls-first", is_flag=True, help="Begin with TLS, as on port 465.")
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
    **options: object,
) -> None:
    """Deliver a message from standard input now, without the queue, to HOST for each RECIPIENT.

    SENDER may be "" for none. Lines that end in LF go out with CRLF. Exit 0 if all was delivered, 75 if
    something may be later, 69 if something never will be.

    Example: smtprc --port 2525 127.0.0.1 me@example.org you@example.net < letter
    """
