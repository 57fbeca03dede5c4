"""The text of a masquerade table: who goes out under which address; text in, table or all its mistakes out; pure.

# local part at the masquerading domain, white space, address; one user a line
jru         J.Random.User@example.org
"a name"    somebody@example.net
"""

from collections.abc import Mapping

from paperpath.mail.address import Mailbox


class MasqueradeError(ValueError):
    """The text has mistakes: each with its line, in the order of the lines."""

    def __init__(self, mistakes: list[tuple[int, str]]) -> None:
        """Gather them."""
        self.mistakes = sorted(mistakes)
        super().__init__("\n".join(f"{line}: {message}" for line, message in self.mistakes))


def parse_masquerade(text: str) -> Mapping[str, Mailbox]:
    """Read the text. Raises: MasqueradeError, with all that is wrong."""
    return {}
