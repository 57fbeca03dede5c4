"""How sendmail, mailto, mailq and newaliases end: the codes of sysexits, and what a reply comes to (J-12).

Programs that call sendmail know these codes from sysexits.h. Most ask only whether it is 0, some whether it
is 75, and then try again later.
"""

import errno
import os
from collections.abc import Iterable
from enum import IntEnum

from paperpath.mail.reply import Reply


class Exit(IntEnum):
    """What a command's end means to its caller."""

    TAKEN = os.EX_OK  # and flushed, for all recipients (D-1)
    USAGE = os.EX_USAGE
    BAD_DATA = os.EX_DATAERR  # an address or a message that cannot be used
    NO_INPUT = os.EX_NOINPUT
    UNKNOWN_USER = os.EX_NOUSER
    UNKNOWN_HOST = os.EX_NOHOST
    REFUSED = os.EX_UNAVAILABLE
    INTERNAL = os.EX_SOFTWARE
    SYSTEM = os.EX_OSERR
    NO_OUTPUT = os.EX_CANTCREAT
    IO = os.EX_IOERR
    LATER = os.EX_TEMPFAIL  # nothing is wrong with it, and the same may succeed later
    PROTOCOL = os.EX_PROTOCOL
    NOT_ALLOWED = os.EX_NOPERM
    CONFIGURATION = os.EX_CONFIG


class ExitError(Exception):
    """A command cannot do its work; `str()` is the sentence for standard error."""

    def __init__(self, exit_code: Exit, message: str) -> None:
        """Keep the code to exit with, and the sentence."""
        super().__init__(message)
        self.exit_code = exit_code


# The first that fits (RFC 3463 §3): codes of replies, subjects and details of enhanced ones.
_BY_CODE = {
    500: Exit.PROTOCOL,
    501: Exit.BAD_DATA,
    502: Exit.PROTOCOL,
    503: Exit.PROTOCOL,
    504: Exit.PROTOCOL,
    530: Exit.NOT_ALLOWED,
    535: Exit.NOT_ALLOWED,
    553: Exit.BAD_DATA,
    555: Exit.PROTOCOL,
}
_BY_STATUS = {
    "5.1.1": Exit.UNKNOWN_USER,
    "5.1.2": Exit.UNKNOWN_HOST,
    "5.1.3": Exit.BAD_DATA,
    "5.1.6": Exit.UNKNOWN_USER,
    "5.1.7": Exit.BAD_DATA,
    "5.1.8": Exit.UNKNOWN_HOST,
    "5.1.10": Exit.UNKNOWN_HOST,  # RFC 7505 §4.1: a domain that takes no mail
}
_BY_SUBJECT = {"5.5": Exit.PROTOCOL, "5.6": Exit.BAD_DATA, "5.7": Exit.NOT_ALLOWED}
# What the system cannot do now, and may do later.
_PASSING = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM, errno.ENOBUFS}
)
_PROTOCOL_STATUS = "4.5.0"  # what the client core says itself, where the server talks nonsense


def choose_exit(reply: Reply) -> Exit:
    """Return what one recipient's reply comes to."""
    if reply.is_positive:
        return Exit.TAKEN
    if reply.code < 500:
        return Exit.PROTOCOL if reply.status == _PROTOCOL_STATUS else Exit.LATER
    subject = reply.status.rpartition(".")[0]
    return (
        _BY_STATUS.get(reply.status) or _BY_SUBJECT.get(subject) or _BY_CODE.get(reply.code) or Exit.REFUSED
    )


def choose_worst(exits: Iterable[Exit]) -> Exit:
    """Return the code for several recipients: of the first that a later try cannot help, else of any."""
    failures = [code for code in exits if code is not Exit.TAKEN]
    lasting = [code for code in failures if code is not Exit.LATER]
    return (lasting or failures or [Exit.TAKEN])[0]


def describe_failure(error: Exception) -> ExitError:
    """Return what to exit with and say, whatever went wrong."""
    if isinstance(error, ExitError):
        return error
    if isinstance(error, OSError):
        return ExitError(choose_exit_of_system(error), str(error))
    return ExitError(Exit.INTERNAL, f"a mistake in Paperpath: {error!r}")


def choose_exit_of_system(error: OSError) -> Exit:
    """Return what it comes to that the system cannot do something: most often that it cannot just now."""
    if error.errno in _PASSING:
        return Exit.LATER
    return Exit.IO if error.errno == errno.EIO else Exit.SYSTEM
