"""Names of folders and the directories they are: pure (Maildir++, requirement F-10).

`Work/Old` is the directory `.Work.Old` of the mailbox, in modified UTF-7. A dot in a name, which separates
levels there, is written as UTF-7 could, but strictly does not: `&AC4-`. Directories whose names other
programs wrote otherwise keep the names they have, read as UTF-8.
"""

import unicodedata

from paperpath.folders.store.errors import FolderNameError
from paperpath.folders.store.values import INBOX, SEPARATOR
from paperpath.mail import utf7

INBOX_STEP = "."

_DOT = "&AC4-"
_MOST_OCTETS = 255
_WILDCARDS = frozenset("%*")


def check_name(name: str) -> str:
    """Return a name in the form that is compared, `INBOX` in capitals. Raises: FolderNameError."""
    levels = unicodedata.normalize("NFC", name).split(SEPARATOR)
    if levels[0].upper() == INBOX:
        levels[0] = INBOX
    if not all(levels):
        raise FolderNameError("no level of a folder's name may be empty")
    if any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for level in levels for char in level):
        raise FolderNameError("there are control characters in the folder's name")
    return SEPARATOR.join(levels)


def check_new_name(name: str) -> str:
    """Return the name of a folder to be made, likewise. Raises: FolderNameError."""
    checked = check_name(name)
    if _WILDCARDS & set(checked):
        raise FolderNameError("wildcards cannot be in a folder's name")
    if len(to_step(checked).encode("utf-8", "surrogateescape")) > _MOST_OCTETS:
        raise FolderNameError("the folder's name is too long")
    return checked


def to_step(name: str) -> str:
    """Return the directory of a folder in the mailbox."""
    if name == INBOX:
        return INBOX_STEP
    levels = (utf7.encode(level).decode("ascii").replace(".", _DOT) for level in name.split(SEPARATOR))
    return "." + ".".join(levels)


def to_name(step: str) -> str:
    """Return the name of the folder that a directory is."""
    if step == INBOX_STEP:
        return INBOX
    return SEPARATOR.join(_read_level(level) for level in step[1:].split("."))


def parents_of(name: str) -> list[str]:
    """Return the names above one, from the top."""
    levels = name.split(SEPARATOR)
    return [SEPARATOR.join(levels[:count]) for count in range(1, len(levels))]


def is_below(name: str, top: str) -> bool:
    """Tell whether a name is another one or below it."""
    return name == top or name.startswith(top + SEPARATOR)


def _read_level(level: str) -> str:
    try:
        return ".".join(utf7.decode(part.encode("ascii")) for part in level.split(_DOT))
    except ValueError:
        return level.replace(SEPARATOR, "_")
