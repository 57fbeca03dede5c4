"""`paperpath bench sink`: takes mail as fast as it can, and knows when each message came."""

import os

import click

from paperpath.commands.bench_descriptors import allow_connections
from paperpath.commands.bench_signals import asked_to_end
from paperpath.commands.options import fail
from paperpath.config.endpoint import parse_endpoint
from paperpath.load.sink import LoadSink
from paperpath.service.errors import ServiceError
from paperpath.service.listener import open_listeners


@click.command()
@click.option("--listen", metavar="ADDRESS:PORT", default="127.0.0.1:2727", show_default=True, help="Where.")
@click.option("--remote", is_flag=True, help="Listen on an address that other hosts reach, too.")
def sink(listen: str, remote: bool) -> None:
    """Take mail by SMTP or LMTP, throw it away, and count it; Ctrl-C ends.

    Have a mail system relay there, and name it to whoever sends: `paperpath bench HOST:PORT --to A@B --sink
    127.0.0.1:2727` then tells what arrived, too. (`paperpath sink` is the one that fails as it is told.)

    Example: paperpath bench sink --listen 127.0.0.1:2727
    """
    try:
        endpoint = parse_endpoint(listen)
    except ValueError as error:
        fail(f"--listen: {error}", os.EX_USAGE)
    if not (endpoint.is_loopback or remote):
        fail(f"{endpoint}: other hosts reach that; --remote allows it", os.EX_USAGE)
    allow_connections()
    try:
        serving = LoadSink(open_listeners("paperpath bench sink", [endpoint]))
    except ServiceError as error:
        fail(error, error.exit_code)
    with asked_to_end(serving.stop):
        click.echo(f"listening on {endpoint}; Ctrl-C ends")
        serving.run()
    click.echo(f"{serving.runs.messages} messages for {serving.runs.recipients} recipients")
