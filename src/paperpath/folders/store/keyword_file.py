"""The file beside a folder's index that says which keyword a small letter in a file's name is.

Its name and lines, `0 $Forwarded`, are Dovecot's, so keywords that one program set the other shows. It is
read where the index knows no name for a letter, and where the index is made anew; it is written, flushed,
before a new letter stands in any name. Lines that are not understood are passed over.
"""

import os
import re
from collections.abc import Sequence
from contextlib import suppress

from paperpath.folders.store.flags import LETTERED_KEYWORDS
from paperpath.service.durable import write_all

_NAME = "dovecot-keywords"
_MOST_OCTETS = 65536
_LINE = re.compile(r"([0-9]{1,2}) ([!-~]+)")


def read_keywords(folder: int) -> dict[int, str]:
    """Return the keywords by number; none where there is no file. Raises: OSError."""
    try:
        descriptor = os.open(_NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return {}
    try:
        text = os.read(descriptor, _MOST_OCTETS).decode("ascii", "replace")
    finally:
        os.close(descriptor)
    found = [match for match in map(_LINE.fullmatch, text.splitlines()) if match is not None]
    return {int(match[1]): match[2] for match in found if int(match[1]) < LETTERED_KEYWORDS}


def write_keywords(folder: int, keywords: Sequence[str]) -> None:
    """Write down the keywords that have letters, flushed. Raises: OSError; then the old file is untouched."""
    name = f"{_NAME}.new"
    lettered = enumerate(keywords[:LETTERED_KEYWORDS])
    lines = [f"{number} {keyword}\n" for number, keyword in lettered if keyword]
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, 0o600, dir_fd=folder)
    try:
        write_all(descriptor, "".join(lines).encode("ascii"))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(name, _NAME, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)
