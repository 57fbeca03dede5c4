"""Folders and files, and who owns them, as the configuration names them.

Called by the tables and the conflicts. Everything the programs write stays inside the data folder, so the
folders named inside it may neither leave it nor take a name that the programs use themselves.
"""

import re
from pathlib import Path

DATA_EXPECTED = 'a folder, such as "data" or "/var/lib/paperpath"'
FILE_EXPECTED = 'a file, such as "/etc/ssl/mail.pem"'
ABSOLUTE_EXPECTED = 'an absolute path, such as "/var/mail/archive"'
MBOX_EXPECTED = 'an absolute path, such as "/var/mail/archive" or "/var/mail/{account}"'
MAILDROP_EXPECTED = '"sqlite:FOLDER", such as "sqlite:maildrop", the folder inside the data folder'
INNER_FOLDER_EXPECTED = 'a folder inside the data folder, such as "mailboxes"'
USER_EXPECTED = 'the name of a user of this host, such as "paperpath"'
GROUP_EXPECTED = 'the name of a group of this host, such as "mail"'

ACCOUNT_MARK = "{account}"
"""In the name of an mbox: what the name of the account's folder is put in for."""

RUN_NAME = "run"
SUBMISSION_NAME = "submission.sock"  # in the folder before
CONTROL_NAME = "control"  # likewise
USERS_NAME = "users"  # likewise
ENQUIRIES_NAME = "enquiries.sock"  # likewise
JOURNAL_NAME = "journal"
ACCOUNTS_NAME = "accounts"
SECRETS_NAME = "secrets"
USAGE_NAME = "usage"
BATCHES_NAME = "batches"
TLS_NAME = "tls"
MTA_STS_NAME = "mta-sts"
DKIM_NAME = "dkim"
DROP_NAME = "drop"
DAMAGED_NAME = "drop-damaged"
OWN_NAMES = (
    RUN_NAME,
    JOURNAL_NAME,
    ACCOUNTS_NAME,
    SECRETS_NAME,
    USAGE_NAME,
    BATCHES_NAME,
    TLS_NAME,
    MTA_STS_NAME,
    DKIM_NAME,
    DROP_NAME,
    DAMAGED_NAME,
)

_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
_SCHEME = "sqlite"


def parse_folder(text: str) -> Path:
    """Return a folder's path, relative or absolute.

    Raises: ValueError, whose text says what was expected.
    """
    if not text or "\0" in text:
        raise ValueError(f"expected {DATA_EXPECTED}")
    return Path(text)


def parse_file(text: str) -> Path:
    """Return a file's path, relative or absolute.

    Raises: ValueError, whose text says what was expected.
    """
    if not text or "\0" in text:
        raise ValueError(f"expected {FILE_EXPECTED}")
    return Path(text)


def parse_absolute(text: str) -> Path:
    """Return an absolute path, of a file or a folder.

    Raises: ValueError, whose text says what was expected.
    """
    path = Path(text)
    if not path.is_absolute() or "\0" in text or ".." in path.parts or not path.name:
        raise ValueError(f"expected {ABSOLUTE_EXPECTED}")
    return path


def parse_mbox(text: str) -> Path:
    """Return the absolute path of an mbox, in whose name, but no folder's, the account may have its place.

    Raises: ValueError, whose text says what was expected.
    """
    try:
        path = parse_absolute(text)
    except ValueError:
        raise ValueError(f"expected {MBOX_EXPECTED}") from None
    if text.endswith("/") or "{" in str(path.parent) or "{" in path.name.replace(ACCOUNT_MARK, ""):
        raise ValueError(f"expected {MBOX_EXPECTED}")
    return path


def parse_inner_folder(text: str) -> Path:
    """Return the path, relative to the data folder, of a folder inside it.

    Raises: ValueError, whose text says what was expected.
    """
    return _parse_inner(text, INNER_FOLDER_EXPECTED)


def parse_user(text: str) -> str:
    """Return a user's name; whether there is one of that name is seen when a program starts.

    Raises: ValueError, whose text says what was expected.
    """
    if _USER.fullmatch(text) is None:
        raise ValueError(f"expected {USER_EXPECTED}")
    return text


def parse_group(text: str) -> str:
    """Return a group's name; whether there is one of that name is seen when the drop directory is made.

    Raises: ValueError, whose text says what was expected.
    """
    if _USER.fullmatch(text) is None:
        raise ValueError(f"expected {GROUP_EXPECTED}")
    return text


def parse_maildrop(text: str) -> str:
    """Check the maildrop's URL and return it as it is.

    Raises: ValueError, whose text says what was expected.
    """
    scheme, colon, _ = text.partition(":")
    if scheme in ("postgres", "postgresql"):
        raise ValueError(f"expected {MAILDROP_EXPECTED} (postgresql is not there yet)")
    if scheme != _SCHEME or not colon:
        raise ValueError(f"expected {MAILDROP_EXPECTED}")
    find_maildrop_folder(text)
    return text


def find_maildrop_folder(url: str) -> Path:
    """Return the path, relative to the data folder, in a URL that begins with "sqlite:".

    Raises: ValueError, whose text says what was expected.
    """
    return _parse_inner(url.removeprefix(f"{_SCHEME}:"), MAILDROP_EXPECTED)


def _parse_inner(text: str, expected: str) -> Path:
    path = Path(text)
    if path.is_absolute() or "\0" in text or ".." in path.parts or not path.parts:
        raise ValueError(f"expected {expected}")
    if path.parts[0] in OWN_NAMES:
        raise ValueError(f'expected {expected}; "{path.parts[0]}" is for the programs\' own use')
    return path
