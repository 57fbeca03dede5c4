"""How a command ends, as a value: `OK`, `NO` or `BAD`, a code, a text (RFC 9051 §7.1).

Made by the core and by whoever carries commands out. Whatever text it is given, what goes out is one line.
"""

from dataclasses import dataclass
from enum import Enum


class Condition(Enum):
    """The word that a status response begins with."""

    OK = "OK"
    NO = "NO"
    BAD = "BAD"
    BYE = "BYE"

    __hash__ = object.__hash__  # as for Extension


@dataclass(frozen=True, slots=True)
class Completion:
    """What is said at the end. `code`: what stands in brackets, without them, such as `TRYCREATE`."""

    condition: Condition
    text: str
    code: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether the command was carried out."""
        return self.condition is Condition.OK


def ok(text: str, code: str = "") -> Completion:
    """Say that it was done."""
    return Completion(Condition.OK, text, code)


def no(text: str, code: str = "") -> Completion:
    """Say that it cannot be done."""
    return Completion(Condition.NO, text, code)


def bad(text: str, code: str = "") -> Completion:
    """Say that it is no command that can be read, or may come now."""
    return Completion(Condition.BAD, text, code)
