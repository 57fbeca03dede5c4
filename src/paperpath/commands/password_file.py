"""A password in a file, for commands that play a peer: arguments can be read by other users of the host."""

import os
from pathlib import Path

from paperpath.commands.options import fail


def read_password_file(file: Path) -> str:
    """Return the first line of a file; exit where it cannot be read."""
    try:
        return file.read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file}: cannot be read: {error}", os.EX_NOINPUT)
