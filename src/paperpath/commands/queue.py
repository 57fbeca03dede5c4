"""`paperpath queue`: what an operator sees of the queue, and does to it; no program need run."""

import click

from paperpath.commands.queue_deeds import bounce, hold, release, remove, reroute, retry
from paperpath.commands.queue_destinations import destinations
from paperpath.commands.queue_looking import list_, show, summary


@click.group()
def queue() -> None:
    """Look at the queue, and change what is in it; for root and the service user.

    Exit codes: 0 done, 1 nothing matched, 75 all that matched is being delivered just now.

    Example: paperpath queue list --domain example.net --older-than 3h
    """


for command in (list_, show, summary, destinations, hold, release, retry, remove, bounce, reroute):
    queue.add_command(command)
