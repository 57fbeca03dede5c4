"""Whoever counts what a session says and hears: told by the core, in the order of the wire."""

from typing import Protocol

from paperpath.mail.reply import Reply


class Observer(Protocol):
    """Is told of each command line and each reply."""

    def see_command(self, verb: str) -> None:
        """Note a command; a word that is no verb of ours is "unknown", whatever the client wrote."""

    def see_reply(self, reply: Reply) -> None:
        """Note a reply."""


class NobodyObserves:
    """For who does not count."""

    def see_command(self, verb: str) -> None:
        """Note nothing."""

    def see_reply(self, reply: Reply) -> None:
        """Note nothing."""


NOBODY = NobodyObserves()
