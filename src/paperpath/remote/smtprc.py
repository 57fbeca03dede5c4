"""smtprc, the relay client: carries mail to other hosts, for smtprcd, or by hand without any queue."""

import asyncio
import socket

import click

from paperpath.remote.worker import Worker
from paperpath.service.log import open_log
from paperpath.service.program import loop_factory

NAME = "smtprc"


@click.command(NAME)
@click.option("--channel", type=int, hidden=True, help="The descriptor of the channel to smtprcd.")
def main(channel: int | None) -> None:
    """The relay client."""
    if channel is not None:
        work_for_scheduler(channel)


def work_for_scheduler(channel: int) -> None:
    """Do what smtprcd says, until it closes the channel."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(Worker(open_log(NAME, "text")).work(socket.socket(fileno=channel)))


if __name__ == "__main__":
    main()
