"""A command that cannot be carried out, on its way to the reply."""

from paperpath.mail.reply import Reply


class CommandError(Exception):
    """The line is no command that can be carried out; `reply` says why to the client."""

    def __init__(self, reply: Reply) -> None:
        """Keep the reply to give."""
        super().__init__(str(reply))
        self.reply = reply
