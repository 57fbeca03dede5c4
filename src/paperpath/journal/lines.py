"""Events to lines and back: one JSON object a line, in ASCII.

Called by the journal and by the search. No value can end a line or be taken for a key, since JSON escapes
what could (attack S-6). Empty fields are left out. The keys are put together beforehand, since a line is made
for every recipient, and the library's encoder of whole objects takes longer.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from json.encoder import encode_basestring_ascii
from operator import attrgetter
from typing import Any, TypeVar, get_args

from paperpath.journal.events import Event

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it was found: when it was told, by which program, and its line."""

    time_us: int
    program: str
    event: Event
    line: bytes


@dataclass(frozen=True, slots=True)
class _Form:
    kind: Callable[..., Event]
    head: str
    keys: tuple[str, ...]
    values: Callable[[Event], tuple[Any, ...]]
    blank: dict[str, Any]


def _make_form(kind: type[Event]) -> _Form:
    names = [field.name for field in fields(kind)]
    values: Callable[[Event], tuple[Any, ...]] = attrgetter(*names)
    if len(names) == 1:  # then attrgetter gives no tuple
        (name,) = names

        def values(event: Event) -> tuple[Any, ...]:
            return (getattr(event, name),)

    blank = {field.name: _BLANKS.get(field.type, "") for field in fields(kind)}
    return _Form(kind, f',"event":"{kind.NAME}"', tuple(f',"{name}":' for name in names), values, blank)


_ENCODERS: dict[type, Callable[[Any], str]] = {
    str: encode_basestring_ascii,
    int: str,
    tuple: lambda texts: f"[{','.join(map(encode_basestring_ascii, texts))}]",
}
_BLANKS: dict[object, object] = {int: 0, tuple[str, ...]: ()}  # of what is text it is ""
_FORMS: dict[type[Event], _Form] = {kind: _make_form(kind) for kind in get_args(Event)}
_BY_NAME = {kind.NAME: form for kind, form in _FORMS.items()}


def encode_event(event: Event, time_us: int) -> str:
    """Write an event's line, with its end."""
    form = _FORMS[type(event)]
    parts = [f'{{"time_us":{time_us}{form.head}']
    for key, value in zip(form.keys, form.values(event), strict=True):
        if value:
            parts.append(key)
            parts.append(_ENCODERS[type(value)](value))
    parts.append("}\n")
    return "".join(parts)


def decode_line(program: str, line: bytes) -> Told | None:
    """Read a line; one that is torn, or tells what this version does not know, is none."""
    try:
        facts = json.loads(line)
        form = _BY_NAME[facts["event"]]
        values = {
            name: _read(facts[name], blank) if name in facts else blank for name, blank in form.blank.items()
        }
        return Told(_read(facts["time_us"], 0), program, form.kind(**values), line)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _read(value: object, blank: _Value) -> _Value:
    """Check a value against the type of its field. Raises: TypeError."""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        value = tuple(value)
    if not isinstance(value, type(blank)):
        raise TypeError("not what is written there")
    return value
