"""Queues that are full at the start: how each side gets its own.

Ours: the messages are accepted into the maildrop by its own engine, as smtprd does, 500 in a transaction, and
then sorted by smtppd, which alone runs; so they are in the state in which an outage of smtprcd leaves them.

Postfix: it is started, takes one message while nobody listens where it is to go, defers it, and is stopped.
Copies of that queue file, and of the record why it was deferred, are put beside them under the names that
Postfix gives its files, which end in the file's inode number: as when a queue is restored from a backup and
`postsuper -s` has put the names right. Their times say that the next attempt is due.
"""

import asyncio
import os
import shutil
import smtplib
import time
from collections.abc import Iterator
from pathlib import Path

from bench import ours, postfix
from bench.failure import BenchError
from bench.installation import program_of
from bench.maildrop import Queue, open_door
from bench.relay import DOMAIN, RECIPIENT, wait_for_quiet
from bench.source import HELO_NAME, SENDER

_LINE = b"x" * 78 + b"\r\n"
_HEADER = f"From: {SENDER}\r\nTo: {RECIPIENT}\r\nSubject: waiting\r\n\r\n".encode()
_DEFERRED_WITHIN = 30.0  # seconds
_ROOM = 2  # times what the messages alone take
_BLOCK = 4096
_USECS = 1_000_000
_LEAST_OCTETS_OF_A_FILE = 2 * _BLOCK  # its own block, and one for its inode and name


def message(length: int) -> bytes:
    """A message whose body has about so many octets, with CRLF."""
    return _HEADER + _LINE * max(1, length // len(_LINE))


def require_room(folder: Path, messages: int, length: int) -> None:
    """See that the disk has room. Raises: BenchError."""
    needed = _ROOM * messages * (length + _LEAST_OCTETS_OF_A_FILE)
    if shutil.disk_usage(folder).free < needed:
        raise BenchError(f"{messages} waiting messages need {needed >> 20} MiB of free disk at {folder}.")


def fill_paperpath(site: ours.Paperpath, messages: int, length: int) -> None:
    """Have so many messages wait in the maildrop of a site that does not run, sorted."""
    require_room(site.folder, messages, length)
    asyncio.run(_accept(site.folder / "data" / "maildrop", messages, length))
    with program_of(site, "smtppd") as post_office:
        wait_for_quiet(post_office)


async def _accept(folder: Path, messages: int, length: int) -> None:
    maildrop = await open_door(folder)
    try:
        await Queue(maildrop, message(length), [DOMAIN]).accept_all(messages)
    finally:
        await maildrop.close()


def fill_postfix(side: postfix.Postfix, messages: int, length: int) -> None:
    """Have so many messages wait in the queue of an instance that does not run, deferred and due."""
    require_room(side.places.queue, messages, length)
    side.launch()
    try:
        with smtplib.SMTP("127.0.0.1", side.port, HELO_NAME, timeout=_DEFERRED_WITHIN) as client:
            client.sendmail(SENDER, [RECIPIENT], message(length))
        name = _wait_for_deferred(side)
    finally:
        side.stop()
    originals = [side.places.queue / kind / name[0] / name for kind in ("deferred", "defer")]
    _copy(originals, messages)
    for original in originals:
        original.unlink()


def _wait_for_deferred(side: postfix.Postfix) -> str:
    """The name of the one file that is deferred, when the queue's manager has no more to do with it."""
    deadline = time.monotonic() + _DEFERRED_WITHIN
    while not (found := _files_below(side.places.queue / "deferred")):
        if side.child.exited_within(0.05) or time.monotonic() > deadline:
            raise side.child.failure("did not defer a message that it cannot deliver")
    wait_for_quiet(side.child)
    return found[0].name


def _copy(originals: list[Path], count: int) -> None:
    """Copy a queue file, and its record, so many times."""
    (queue_file, record) = originals
    contents = [original.read_bytes() for original in originals]
    owner = queue_file.stat()
    due = time.time() - 1
    for number in range(count):
        deferred = queue_file.parent.parent / "new"
        _write(deferred, contents[0], queue_file, owner)
        name = queue_id(number, deferred.stat().st_ino)
        os.utime(deferred, (due, due))
        deferred.rename(_in_its_folder(queue_file.parent.parent, name, owner))
        _write(_in_its_folder(record.parent.parent, name, owner), contents[1], record, owner)


def queue_id(number: int, inode: int) -> str:
    """The short name of a queue file: microseconds in five digits, and its inode, in capital hexadecimals."""
    return f"{number * 997 % _USECS:05X}{inode:X}"


def _in_its_folder(queue: Path, name: str, owner: os.stat_result) -> Path:
    """The path of a file in a queue that is hashed by the first digit, as both are; its folder is made."""
    folder = queue / name[0]
    if not folder.is_dir():
        folder.mkdir(mode=0o700)
        os.chown(folder, owner.st_uid, owner.st_gid)
    return folder / name


def _write(path: Path, octets: bytes, like: Path, owner: os.stat_result) -> None:
    path.write_bytes(octets)
    os.chown(path, owner.st_uid, owner.st_gid)
    path.chmod(like.stat().st_mode & 0o7777)


def octets_below(folder: Path) -> int:
    """What all files and folders below a folder take of the disk."""
    return sum(found.stat().st_blocks for found in _all_below(folder)) * 512


def _files_below(folder: Path) -> list[Path]:
    return [found for found in folder.rglob("*") if found.is_file()]


def _all_below(folder: Path) -> Iterator[Path]:
    yield folder
    yield from folder.rglob("*")
