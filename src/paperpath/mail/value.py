"""How a class of values is made that nobody changes, where many of them are made for each message.

Used in place of `dataclass(frozen=True, slots=True)`, and to the type checker the same. To Python the fields
are not frozen: to set those of a frozen one takes ten times as long as all the rest of making it, and a tenth
of all that a message cost us was spent on that (docs/performance.md).
"""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

_Class = TypeVar("_Class")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(kind: type[_Class]) -> type[_Class]:
    """Make a class one of values: compared and hashed by their fields, which no one may set."""
    return dataclass(slots=True, unsafe_hash=True)(kind)
