"""A clock that is moved under running programs, for all of them at once; what is monotonic goes on."""

from pathlib import Path

# Every Python process of ours runs this first; a file says by how many seconds the clock is off.
_SHIFTING = """
import datetime, time
from pathlib import Path

_file, _datetime, _time_ns = Path({file!r}), datetime.datetime, time.time_ns

def _offset_s():
    return int(_file.read_text() or 0)

class datetime_(_datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(seconds=_offset_s())

datetime_.__name__ = "datetime"
datetime.datetime = datetime_
time.time_ns = lambda: _time_ns() + _offset_s() * 1_000_000_000
time.time = lambda: time.time_ns() / 1e9
"""


class Clock:
    """The clock of all programs that have `folder` in their PYTHONPATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / "offset"
        folder.mkdir()
        self.set(0)
        (folder / "sitecustomize.py").write_text(_SHIFTING.format(file=str(self._file)))

    def set(self, offset_s: int) -> None:
        """Set it, at once."""
        new = self._file.with_name("new")
        new.write_text(str(offset_s))
        new.replace(self._file)
