"""What the mail store's operations cost, by the number of messages: `python -m bench.folders [options]`.

For each size a Maildir is filled with small messages, as a restored backup would; then its index is made,
and the folder is opened cold and warm, looked at, flagged, copied and expunged. Costs are to be linear at
most. Times are milliseconds of the clock. Results go to the standard output; nothing is left on the disk.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TypeVar

from bench.command import progress
from paperpath.folders.maildir import Maildir, Place, create_maildir
from paperpath.folders.store.open_folder import MaildirFolder
from paperpath.folders.store.tree import MaildirStore
from paperpath.folders.store.values import FlagChange

BOX = PurePosixPath("box")
MESSAGE = b"Subject: message %d\n\n" + b"x" * 70 + b"\n"
Result = TypeVar("Result")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--messages", default="1000,20000,100000", help="sizes, with commas (%(default)s)")
    for size in parser.parse_args().messages.split(","):
        folder = Path(tempfile.mkdtemp(prefix="bench-folders-"))
        try:
            measure(folder, int(size))
        finally:
            shutil.rmtree(folder)


def measure(root: Path, size: int) -> None:
    progress(f"filling {size}")
    create_maildir(root, BOX)
    for number in range(size):
        (root / BOX / "cur" / f"{1_600_000_000 + number}.M1R{number}.host,S=91:2,").write_bytes(
            MESSAGE % number
        )
    store = MaildirStore(root, BOX)
    store.create("Other")

    def timed(name: str, deed: Callable[[], Result]) -> Result:
        begun = time.perf_counter()
        result = deed()
        sys.stdout.write(f"{size:7} {name:34} {1000 * (time.perf_counter() - begun):9.1f}\n")
        sys.stdout.flush()
        return result

    folder = timed("index made", lambda: open_and_look(store))
    time.sleep(1.1)  # what was read in the moment of a change is read once more
    folder.look()
    folder.close()
    folder = timed("opened warm", lambda: open_and_look(store))
    shown = folder.look().snapshot
    uids = shown.uids
    timed("look, nothing new", lambda: folder.look(shown))
    deliver(root)
    shown = timed("look after a delivery", lambda: folder.look(shown)).snapshot
    timed("flags of all", lambda: list(folder.states(uids)))
    timed("sizes of all, first", lambda: list(folder.measures(uids)))
    timed("sizes of all, again", lambda: list(folder.measures(uids)))
    timed("one flagged", lambda: folder.store_flags([uids[0]], FlagChange.ADD, ["\\Flagged"]))
    timed("look after that", lambda: folder.look(shown))
    timed("all seen", lambda: folder.store_flags(uids, FlagChange.ADD, ["\\Seen"]))
    timed("a tenth copied", lambda: folder.copy(uids[: size // 10], "Other"))
    timed("a tenth deleted", lambda: folder.store_flags(uids[: size // 10], FlagChange.ADD, ["\\Deleted"]))
    timed("a tenth expunged", folder.expunge)
    shown = timed("look at all that", lambda: folder.look(shown)).snapshot
    time.sleep(1.1)
    timed("look that reads the directory", lambda: folder.look(shown))
    folder.store_flags([uids[size // 2]], FlagChange.ADD, ["\\Deleted"])
    folder.expunge()
    folder.close()
    timed("opened, with gaps", lambda: open_and_look(store)).close()
    timed("opened warm, with gaps", lambda: open_and_look(store)).close()


def open_and_look(store: MaildirStore) -> MaildirFolder:
    """Do what SELECT does."""
    folder = store.open("INBOX")
    folder.look()
    folder.first_unseen()
    return folder


def deliver(root: Path) -> None:
    with Maildir(root, Place(BOX)) as maildir:
        maildir.write("1700000000.M1R1.host", [b"Subject: new\n"])
        maildir.flush()


if __name__ == "__main__":
    main()
