"""What could not be sent is kept for its author: in the file dead.letter at home (requirement J-1).

Used by sendmail and mailto, with the rights of whoever calls them and no others. The file is an mbox, and a
message gets there whole or not at all.
"""

import fcntl
import os
import pwd
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

NAME = "dead.letter"
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_PATIENCE_S, _PAUSE_S = 10.0, 0.05
_BEGIN, _QUOTED_BEGIN = b"\nFrom ", b"\n>From "  # or a line would begin another message


def find_dead_letter(environment: Mapping[str, str]) -> Path:
    """Return the file of whoever calls, which need not be there. Raises: OSError, for who has no home."""
    home = environment.get("HOME", "")
    if not home:
        try:
            home = pwd.getpwuid(os.geteuid()).pw_dir
        except KeyError:
            raise FileNotFoundError("you have no home here") from None
    return Path(home, NAME)


def keep(file: Path, pieces: Iterable[bytes], recipients: Sequence[str]) -> None:
    """Append a message, which has CRLF line ends, for these recipients; flushed on return. Raises: OSError.

    They are named in fields of their own, for the header need not name them.
    """
    descriptor = os.open(file, _APPEND, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileExistsError(f"{file} is no file")
        is_locked = _lock(descriptor)
        size = os.fstat(descriptor).st_size
        try:
            for octets in _format(pieces, recipients):
                _write(descriptor, octets)
            os.fsync(descriptor)
        except BaseException:
            if is_locked:  # or what others wrote meanwhile would go too
                os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)


def keep_for_author(
    pieces: Iterable[bytes], recipients: Sequence[str], environment: Mapping[str, str]
) -> str:
    """Keep a message, as `keep` does, for whoever calls; return what is to be said of that."""
    try:
        file = find_dead_letter(environment)
        keep(file, pieces, recipients)
    except OSError as error:
        return f"the message is lost, for it could not be kept either: {error}"
    return f"the message is kept in {file}"


def _lock(descriptor: int) -> bool:
    """Wait until nobody else writes, but not for ever: whoever may read the file may hold its lock."""
    deadline_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline_s:
                return False
            time.sleep(_PAUSE_S)
        else:
            return True


def _format(pieces: Iterable[bytes], recipients: Sequence[str]) -> Iterator[bytes]:
    """Write a message as mbox files have it: LF, and lines quoted that would begin another."""
    yield f"From MAILER-DAEMON {time.asctime(time.gmtime())}\n".encode()
    # What is typed may be anything.
    shown = (recipient for recipient in recipients if recipient.isprintable())
    yield "".join(f"X-Envelope-To: {recipient}\n" for recipient in shown).encode()
    held = b""
    for piece in pieces:
        text = (held + piece).replace(b"\r\n", b"\n").replace(_BEGIN, _QUOTED_BEGIN)
        held = text[-len(_BEGIN) :]  # where half of either may stand
        yield text[: -len(_BEGIN)]
    yield held + b"\n"


def _write(descriptor: int, octets: bytes) -> None:
    view = memoryview(octets)
    while view:
        view = view[os.write(descriptor, view) :]
