"""Whether an edited text means what it should: the last word on every edit of a configuration; pure.

Called by the edits, which know what they want. A text that comes out otherwise met with a layout that is not
known here.
"""

import tomllib
from dataclasses import dataclass
from typing import Any


class EditError(Exception):
    """The text cannot be changed as it was asked for; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Edited:
    """A text after an edit, what was done to it, and which keys name what was removed still."""

    text: str
    done: tuple[str, ...]
    left: tuple[str, ...] = ()


def read_edited(text: str) -> dict[str, Any]:
    """Return what a text means after an edit. Raises: EditError, where it is no TOML any more."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UnknownLayoutError from error


class UnknownLayoutError(EditError):
    """The edit would change something else too."""

    def __init__(self) -> None:
        """Say what is left to do."""
        super().__init__("this file is laid out in a way that cannot be edited here; change it by hand")
