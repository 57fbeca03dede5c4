"""Looking into a parsed document that nobody has checked yet: what is not there, or wrong, is `None`."""

from collections.abc import Callable
from typing import TypeVar

_Value = TypeVar("_Value")


def look_up(value: object, *keys: str) -> object:
    """Follow keys from table to table."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def read(parse: Callable[[str], _Value], value: object) -> _Value | None:
    """Read a text; what is no text, or refused with a ValueError, is for the models to complain of."""
    try:
        return parse(value) if isinstance(value, str) else None
    except ValueError:
        return None
