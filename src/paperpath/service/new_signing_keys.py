"""A new key of [dkim] put into its file, for the service's user alone; nothing that is there is overwritten.

Called by `paperpath dkim`, as root or as that user. What root does below the data folder is done as the
service's user, who owns that folder and could otherwise lead it elsewhere by links.
"""

import os
from contextlib import suppress
from pathlib import Path

from paperpath.service.durable import flush_directory, write_all
from paperpath.service.errors import ServiceError
from paperpath.service.privileges import Identity, acting_as, refuse_strangers


def store_signing_key(file: Path, pem: str, identity: Identity | None) -> None:
    """Write a key to a file in the folder of keys, which is made inside the data folder where it is missing.

    Raises: ServiceError, also where the file is there.
    """
    with acting_as(identity):
        refuse_strangers(file.parent.parent)
        try:
            file.parent.mkdir(mode=0o700, exist_ok=True)
            _write(file, pem.encode("ascii"))
            flush_directory(file.parent)
            flush_directory(file.parent.parent)
        except FileExistsError as error:
            raise ServiceError(f"{file} is there already; it was left as it is", os.EX_CANTCREAT) from error
        except OSError as error:
            reason = f"{file}: cannot be written: {error.strerror}"
            raise ServiceError(reason, os.EX_CANTCREAT) from error


def drop_signing_key(file: Path, identity: Identity | None) -> None:
    """Remove a key that was stored and came into no use. Raises: ServiceError, where it stays."""
    with acting_as(identity):
        try:
            file.unlink()
        except OSError as error:
            raise ServiceError(f"{file}: cannot be removed: {error.strerror}", os.EX_IOERR) from error


def _write(file: Path, octets: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(file, flags, 0o600)
    try:
        write_all(descriptor, octets)
        os.fsync(descriptor)
    except BaseException:
        with suppress(OSError):  # the first error is the one to tell
            file.unlink()
        raise
    finally:
        os.close(descriptor)
