"""A bare loop that does, in threads, what no delivery into a Maildir can do without: the disk's measure."""

import os
import threading
import time
from pathlib import Path

THREADS = 8  # smtpld's own number, where the configuration says nothing


def measure_bare(folder: Path, count: int, size: int, threads: int = THREADS) -> float:
    """Write a file, fsync it, rename it, fsync its directory, so many times; files a second.

    `folder` is made, and so are the files, which stay.
    """
    for part in ("tmp", "new"):
        (folder / part).mkdir(parents=True)
    octets = os.urandom(size)
    numbers = iter(range(count))
    took = threading.Lock()

    def work() -> None:
        directory = os.open(folder / "new", os.O_RDONLY | os.O_DIRECTORY)
        try:
            while True:
                with took:
                    number = next(numbers, None)
                if number is None:
                    return
                write_one(folder, str(number), octets, directory)
        finally:
            os.close(directory)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    began = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return count / (time.monotonic() - began)


def write_one(folder: Path, name: str, octets: bytes, directory: int) -> None:
    """Write, flush, rename, flush the directory."""
    descriptor = os.open(folder / "tmp" / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, octets)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    (folder / "tmp" / name).rename(folder / "new" / name)
    os.fsync(directory)
