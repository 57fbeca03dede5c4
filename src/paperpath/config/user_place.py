"""Where the mail of users of this host goes, as the configuration says it once for all of them.

Called by the table [local]. No part of it comes from outside: of a user the name alone gets in, as passwd(5)
has it.
"""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

USER_PLACE_EXPECTED = (
    'a Maildir in the home, such as "~/Maildir", or a file for each user, such as "/var/mail/{user}"'
)
_HOME = "~/"
_USER = "{user}"


@dataclass(frozen=True, slots=True)
class HomeMaildir:
    """A Maildir, by its path below the home."""

    folder: PurePosixPath


@dataclass(frozen=True, slots=True)
class SpoolFolder:
    """A folder with an mbox file of each user's name."""

    folder: Path


UserPlace = HomeMaildir | SpoolFolder

HOME_MAILDIR = HomeMaildir(PurePosixPath("Maildir"))


def parse_user_place(text: str) -> UserPlace:
    """Read a place.

    Raises: ValueError, whose text says what was expected.
    """
    below = PurePosixPath(text.removeprefix(_HOME))
    path = Path(text)
    if "\0" not in text and ".." not in path.parts:
        if text.startswith(_HOME) and below.parts and not below.is_absolute():
            return HomeMaildir(below)
        if path.is_absolute() and path.name == _USER and _USER not in str(path.parent):
            return SpoolFolder(path.parent)
    raise ValueError(f"expected {USER_PLACE_EXPECTED}")
