"""What is said when the mail store could not do something (RFC 5530, RFC 9051 §7.1)."""

import errno

from paperpath.folders.quota import OverQuotaError, OverWholeQuotaError
from paperpath.folders.store.errors import (
    FolderExistsError,
    FolderLostError,
    FolderNameError,
    ForbiddenError,
    MessageGoneError,
    NoFolderError,
    StoreError,
    TooManyKeywordsError,
    TooManySubscriptionsError,
    UseError,
)
from paperpath.imap.completion import Completion, no

TROUBLES = (OSError, StoreError)
"""What the store raises that is no defect."""

_NO_MAILBOX = "There is no such mailbox"
_FULL = no("The account has no room for that", "OVERQUOTA")
_TOO_LARGE = no("The message is larger than all that the account may hold", "OVERQUOTA")
_DISK_FULL = no("There is no room on the disk", "UNAVAILABLE")
_UNAVAILABLE = no("The mail store is in trouble; try again later", "UNAVAILABLE")
_CODES: dict[type[StoreError], str] = {
    FolderExistsError: "ALREADYEXISTS",
    FolderNameError: "CANNOT",
    ForbiddenError: "CANNOT",
    UseError: "USEATTR",
    TooManyKeywordsError: "LIMIT",
    TooManySubscriptionsError: "LIMIT",
    MessageGoneError: "EXPUNGEISSUED",
}


def describe_trouble(error: OSError | StoreError, *, makes: bool = False) -> Completion:
    """Return what is said. `makes`: the command puts messages somewhere, so a mailbox could be made first."""
    match error:
        case NoFolderError() | FolderLostError():
            return no(_NO_MAILBOX, "TRYCREATE" if makes else "NONEXISTENT")
        case OverWholeQuotaError():
            return _TOO_LARGE
        case OverQuotaError():
            return _FULL
        case OSError():
            return _DISK_FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else _UNAVAILABLE
    code = _CODES.get(type(error))
    return _UNAVAILABLE if code is None else no(str(error).capitalize(), code)


def concerns_operator(error: OSError | StoreError) -> bool:
    """Tell whether it is trouble of this host, and not of the client."""
    if isinstance(error, OverQuotaError | OverWholeQuotaError):
        return False
    return isinstance(error, OSError) or describe_trouble(error) is _UNAVAILABLE
