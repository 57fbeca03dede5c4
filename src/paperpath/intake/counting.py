"""What a way in counts of its sessions' talk: from the core's observer to the program's metrics."""

from paperpath.mail.reply import Reply
from paperpath.service.metrics import IntakeMetrics


class Counting:
    """Counts commands and replies of all sessions of a program."""

    def __init__(self, metrics: IntakeMetrics) -> None:
        """Count there."""
        self._commands = metrics.commands
        self._replies = metrics.replies

    def see_command(self, verb: str) -> None:
        """Count a command."""
        self._commands.add(verb)

    def see_reply(self, reply: Reply) -> None:
        """Count a reply by its code and status."""
        self._replies.add((reply.code, reply.status))
