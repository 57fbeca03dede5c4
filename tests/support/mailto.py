"""mailto called as people and scripts call it, and the drop directory that it writes into."""

from pathlib import Path

from paperpath.mail.envelope import Envelope
from tests.support.drop import make_folders, read_drop
from tests.support.sendmail import Caller

TEXT = b"Hi\n"


class Writer(Caller):
    """Somebody with a home, a configuration, and a drop directory that no program looks at."""

    program = "mailto"

    def __init__(self, folder: Path, *, more: str = "") -> None:
        super().__init__(folder, more=more)
        (folder / "data").mkdir()
        self.drop, _ = make_folders(folder / "data")

    def dropped(self) -> list[tuple[Envelope, bytes]]:
        """Return what was left, in no order; that nothing else lies there is seen to."""
        return [read_drop(self.drop, file.name) for file in self.drop.iterdir()]
