"""The files of certificates and keys: opened by who may, read by who serves.

Called by the certificates, by the supervisor for the programs that cannot open them, and by those programs.
Descriptors are handed over and no octets, so that whoever gets them sees the mode of the file too.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from paperpath.config.tables import Configuration
from paperpath.service.errors import ServiceError

_MOST_OCTETS = 2**20  # of one file


class CertificateError(ServiceError):
    """A certificate cannot be used; the text names the file, and the command that mends it where one does."""

    def __init__(self, path: Path, reason: str) -> None:
        """Keep the file and the sentence to print; the code is that of a wrong configuration."""
        super().__init__(f"{path}: {reason}", os.EX_CONFIG)
        self.path = path


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What a file held and its mode, both of the same file, whatever is renamed meanwhile."""

    path: Path
    octets: bytes = field(repr=False)
    mode: int


Reader = Callable[[Path], KeyFile]


def read_key_file(path: Path) -> KeyFile:
    """Open a file and read it. Raises: CertificateError."""
    descriptor = _open(path)
    try:
        return _read(path, descriptor)
    finally:
        os.close(descriptor)


def make_reader(opened: Mapping[Path, int]) -> Reader:
    """Return what reads the files that somebody opened for us, and opens the others."""

    def read(path: Path) -> KeyFile:
        return _read(path, opened[path]) if path in opened else read_key_file(path)

    return read


def list_key_files(configuration: Configuration) -> tuple[Path, ...]:
    """List the files that are configured, each once, in the order of the configuration's text."""
    entries, submission = configuration.tls.certificate, configuration.submission
    authorities = () if submission is None or submission.client_ca is None else (submission.client_ca,)
    return tuple(
        dict.fromkeys([path for entry in entries for path in (entry.chain, entry.key)] + [*authorities])
    )


@contextmanager
def open_key_files(paths: Iterable[Path]) -> Iterator[list[int]]:
    """Open files for the length of the block. Raises: CertificateError."""
    with ExitStack() as opened:
        descriptors: list[int] = []
        for path in paths:
            descriptors.append(_open(path))
            opened.callback(os.close, descriptors[-1])
        yield descriptors


def _open(path: Path) -> int:
    try:
        return os.open(
            path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
        )  # a pipe in its place holds nobody up
    except OSError as error:
        raise _cannot_read(path, error) from error


def _read(path: Path, descriptor: int) -> KeyFile:
    """Read from the beginning: the place in the file is shared by all who have the descriptor."""
    try:
        return KeyFile(path, os.pread(descriptor, _MOST_OCTETS, 0), os.fstat(descriptor).st_mode)
    except OSError as error:
        raise _cannot_read(path, error) from error


def _cannot_read(path: Path, error: OSError) -> CertificateError:
    return CertificateError(path, f"cannot be read: {error.strerror}")
