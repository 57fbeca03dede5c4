"""The masquerade table on disk, for smtpsd and mailto; knows no configuration, so that mailto starts quickly."""

from collections.abc import Mapping
from pathlib import Path

from paperpath.mail.address import Mailbox


class MasqueradeFileError(Exception):
    """The file cannot be used; `str()` gives one line for each mistake, with the file's name."""


def load_masquerade(file: Path) -> Mapping[str, Mailbox]:
    """Read a file; one that every user of the host may write is refused (attack L-4).

    Raises: MasqueradeFileError.
    """
    return {}
