"""The content of a claimed message, read on its way out and compared with what was taken in (promise P1).

Called by the ways out, in threads or where a chunk of a file may be waited for.
"""

import hashlib
from collections.abc import Iterator

from paperpath.maildrop.values import Content

CHUNK_OCTETS = 256 * 1024


class DamagedError(Exception):
    """The content is not there, or not what was taken; `str()` says which."""


def read_checked(content: Content) -> Iterator[bytes]:
    """Give the content in chunks; its digest is compared before the end is told from one more chunk.

    Raises: DamagedError; OSError.
    """
    digest = hashlib.sha256()
    for chunk in read_unchecked(content):
        digest.update(chunk)
        yield chunk
    if digest.digest() != content.digest:
        raise DamagedError("the content is not what was taken in: its digest differs")


def read_unchecked(content: Content) -> Iterator[bytes]:
    """Give the content in chunks, whatever it is now. Raises: DamagedError, if it is gone; OSError."""
    if content.octets is not None:
        yield content.octets
        return
    if content.file is None:
        raise DamagedError("the content lies nowhere")
    try:
        file = content.file.open("rb")
    except FileNotFoundError:
        raise DamagedError("the file of the content is missing") from None
    with file:
        while chunk := file.read(CHUNK_OCTETS):
            yield chunk
