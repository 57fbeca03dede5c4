"""Whether what is flushed stays: what can be told of the disk under the queue and the mailboxes.

Called by `paperpath selftest`. No program can see whether a disk keeps its word; only cutting the power does
that. What can be seen is what would break it: file systems without a disk, mount options that leave the
flush out, and flushes quicker than the device could be.
"""

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from paperpath.commands.selftest_findings import Finding, Verdict
from paperpath.config.tables import Configuration
from paperpath.maildrop.sqlite.filesystem import Mount, read_mount

DEVICES = Path("/sys/dev/block")

_IN_MEMORY = frozenset(("tmpfs", "ramfs"))
_UNFLUSHED = frozenset(("nobarrier", "barrier=0", "nobarriers", "volatile", "eatmydata"))
_FLUSHES = 20
_LEAST_TURN_S = 0.002  # a disk at 15,000 turns a minute takes four thousandths for one, half of it on average
_LEAST_S = 0.00001  # less than any bus, controller and memory cell takes
_BLOCK = b"\0" * 4096


def judge_mount(mount: Mount | None) -> Finding:
    """Say whether the file system keeps anything, and whether it was told not to flush."""
    tried = "the file system"
    if mount is None:
        return Finding(Verdict.UNTOLD, tried, "this system does not tell")
    if mount.is_network:
        return Finding(Verdict.FAULT, tried, f"{mount.kind}, another host's, where no queue is safe")
    if mount.kind in _IN_MEMORY:
        return Finding(
            Verdict.FAULT, tried, f"{mount.kind}, which is memory: nothing outlives the next start"
        )
    unflushed = sorted(_UNFLUSHED & set(mount.options))
    if unflushed:
        return Finding(
            Verdict.FAULT, tried, f"{mount.kind}, mounted with {', '.join(unflushed)}: not flushed"
        )
    if mount.kind == "overlay":
        return Finding(Verdict.DOUBTFUL, tried, "overlay: a container's own layer, which goes with it")
    return Finding(Verdict.GOOD, tried, f"{mount.kind}, flushed by its options")


def judge_cache(cache: str) -> Finding:
    """Say what the system believes of the device's write cache; it is told by the device."""
    tried = "the write cache of its device"
    if cache == "write back":
        return Finding(Verdict.GOOD, tried, "there is one, and the system has it emptied at every flush")
    if cache == "write through":
        return Finding(
            Verdict.UNTOLD,
            tried,
            "the device says it has none that could lose anything; so no flush reaches it",
        )
    return Finding(Verdict.UNTOLD, tried, f"the system does not tell{f': {cache}' if cache else ''}")


def judge_flushes(lengths_s: Sequence[float], *, turns: bool) -> Finding:
    """Say whether flushes took as long as the device must; `turns`: it is a disk that turns."""
    middle = median(lengths_s)
    tried = f"{len(lengths_s)} flushes of 4 KiB"
    seen = (
        f"{middle * 1e3:.3f} ms in the middle, from {min(lengths_s) * 1e3:.3f} to {max(lengths_s) * 1e3:.3f}"
    )
    if turns and middle < _LEAST_TURN_S:
        hint = (
            "quicker than a disk turns: a cache keeps them, or it only says that it turns, as virtual ones do"
        )
        return Finding(Verdict.DOUBTFUL, tried, f"{seen}; {hint}")
    if middle < _LEAST_S:
        return Finding(
            Verdict.DOUBTFUL, tried, f"{seen}; quicker than any device: most likely nothing was flushed"
        )
    return Finding(Verdict.GOOD, tried, f"{seen}, which is possible; as far as can be told")


def try_disks(configuration: Configuration) -> Iterator[Finding]:
    """Look at each file system of what must survive a power cut; leaves nothing behind."""
    folders = {
        "maildrop": configuration.maildrop_folder,
        "mailboxes": configuration.mailbox_root,
        "drop directory": configuration.drop_folder,
    }
    names: dict[int, list[str]] = {}
    for name, folder in folders.items():
        if folder.is_dir():
            names.setdefault(folder.stat().st_dev, []).append(name)
    for together in names.values():
        for found in _try_disk(folders[together[0]], configuration.data):
            yield Finding(found.verdict, f"{', '.join(together)}: {found.tried}", found.seen)


def _try_disk(folder: Path, data: Path) -> Iterator[Finding]:
    mount = read_mount(folder)
    yield judge_mount(mount)
    device = DEVICES / ("" if mount is None else mount.device)
    yield judge_cache(_read_queue(device, "write_cache"))
    # The data folder does where it is on the same one: nobody looks for mail there.
    place = data if folder.stat().st_dev == data.stat().st_dev else folder
    try:
        lengths_s = _time_flushes(place)
    except OSError as error:
        yield Finding(Verdict.UNTRIED, f"{_FLUSHES} flushes of 4 KiB", f"{place}: {error.strerror}")
    else:
        yield judge_flushes(lengths_s, turns=_read_queue(device, "rotational") == "1")


def _read_queue(device: Path, name: str) -> str:
    """Return what the system says of a device, or of the one that this is a part of; empty if nothing."""
    for folder in (device, device.resolve().parent):
        try:
            return (folder / "queue" / name).read_text("ascii").strip()
        except OSError:
            continue
    return ""


def _time_flushes(folder: Path) -> list[float]:
    """Write and flush a file that has no name. Raises: OSError."""
    lengths_s = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(_FLUSHES):
            file.write(_BLOCK)
            begun_s = time.perf_counter()
            os.fsync(file.fileno())
            lengths_s.append(time.perf_counter() - begun_s)
    return lengths_s
