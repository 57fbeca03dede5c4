"""A Paperpath whose programs are started one by one, for what is measured of one of them alone."""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from bench import ours
from bench.process import Child

START_WITHIN = 30.0  # seconds, for a program


class Site(ours.Paperpath):
    """A Paperpath in `folder`, which is made; nothing of it runs."""

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder, port)
        self.log = self.child.log
        folder.mkdir()

    @property
    def maildrop(self) -> Path:
        """Where its queue is."""
        return self.folder / "data" / "maildrop"

    def running(self, program: str) -> AbstractContextManager[Child]:
        """One of the programs, for the length of the block."""
        return program_of(self, program)


@contextlib.contextmanager
def program_of(site: ours.Paperpath, program: str) -> Iterator[Child]:
    """One of a site's programs by itself, for the length of the block."""
    path = Path(site.program).with_name(program)
    child = Child(program, [str(path), "--config", str(site.config)], site.child.log)
    try:
        child.start()
        yield child
    finally:
        child.stop()
