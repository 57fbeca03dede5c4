"""A command that cannot be carried out, on its way to the answer."""

from paperpath.imap.completion import Completion, bad


class Fault(Exception):  # noqa: N818 - it is the client's
    """What was read is no command that can be carried out; `completion` says why to the client."""

    def __init__(self, completion: Completion) -> None:
        """Keep what is to be said."""
        super().__init__(completion.text)
        self.completion = completion


def misread(expected: str) -> Fault:
    """Say what should have stood where something else stands."""
    return Fault(bad(f"Expected {expected}"))
