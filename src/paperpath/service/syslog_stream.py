"""A text stream that ends in syslog, to stand in for a standard error that must not be written to.

Each line is one message of the facility "mail"; where no syslog listens it is lost.
"""

import io
import syslog
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def open_syslog(program: str) -> io.TextIOWrapper:
    """Return the stream; messages carry the name of the program and its process id."""
    syslog.openlog(program, syslog.LOG_PID, syslog.LOG_MAIL)
    return io.TextIOWrapper(io.BufferedWriter(_Syslog()), "ascii", "backslashreplace", line_buffering=True)


class _Syslog(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, octets: "ReadableBuffer", /) -> int:
        taken = bytes(octets)
        for line in filter(None, taken.decode("ascii").splitlines()):
            syslog.syslog(line)
        return len(taken)
