"""COPY and MOVE: messages come into another folder by links or new names of their files, never rewritten.

Called by open_folder.py. A moved file gets its new place by one renaming, so it is in one of both folders at
every moment, and keeps its name: local delivery that was killed still finds by that name that the message was
delivered (promise P4).
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from paperpath.folders.names import is_verbatim
from paperpath.folders.store.access import FolderAccess, both_locked
from paperpath.folders.store.allotment import admit, open_allowance, stored_octets
from paperpath.folders.store.errors import MessageGoneError
from paperpath.folders.store.files import remove_name
from paperpath.folders.store.index import CUR, NEW, FileRow
from paperpath.folders.store.landing import Candidate, land
from paperpath.folders.store.staging import link_file, make_base
from paperpath.folders.store.values import Arrival, Copied


def copy_messages(source: FolderAccess, uids: Sequence[int], target: FolderAccess) -> Copied:
    """Copy messages with flags and dates."""
    with both_locked(source, target):
        rows = list(source.index.files(uids))
        if not rows:
            return _tell(rows, range(0), target)
        flags = _translate_flags(source, target, rows)
        with open_allowance(target) as allowance:
            for row in rows:
                admit(allowance, _stored(source, row))
            with _linked(source, rows, target) as bases:
                candidates = [
                    _describe(row, target.files.tmp, base, base, flags[row.uid])
                    for row, base in zip(rows, bases, strict=True)
                ]
                return _tell(rows, land(target, candidates), target)


def move_messages(source: FolderAccess, uids: Sequence[int], target: FolderAccess) -> Copied:
    """Move messages with flags and dates."""
    if source.files.step == target.files.step:
        source = target
    with both_locked(source, target):
        rows = list(source.index.files(uids))
        if not rows:
            return _tell(rows, range(0), target)
        flags = _translate_flags(source, target, rows)
        taken = target.index.find_bases([row.base for row in rows])
        candidates = [
            _describe(
                row, source.files.parts[row.part], row.name, _free_base(row, taken, source), flags[row.uid]
            )
            for row in rows
        ]
        with _counted(source, target, rows):
            try:
                landed = land(target, candidates)
            except FileNotFoundError as error:
                source.doubt()
                raise _name_missing(source, rows) from error
            _forget_moved(source, rows)
        return _tell(rows, landed, target)


def _translate_flags(source: FolderAccess, target: FolderAccess, rows: Sequence[FileRow]) -> dict[int, int]:
    """Return the flags of messages by the target's numbers; each folder numbers its keywords itself."""
    names = source.index.flag_names()
    flags = {uid: names.to_flags(number) for uid, number, _ in source.index.flags([row.uid for row in rows])}
    there = target.adopt_keywords(frozenset[str]().union(*flags.values()))
    return {uid: there.to_number(each) for uid, each in flags.items()}


def _describe(row: FileRow, directory: int, name: str, base: str, flags: int) -> Candidate:
    return Candidate(directory, name, base, flags, row.internal_us, row.octets, row.email_id)


def _stored(access: FolderAccess, row: FileRow) -> int:
    try:
        return stored_octets(access.files.parts[row.part], row.name)
    except FileNotFoundError:
        raise MessageGoneError(row.uid) from None


@contextmanager
def _linked(source: FolderAccess, rows: Sequence[FileRow], target: FolderAccess) -> Iterator[list[str]]:
    """Give files names in tmp of the target, which are gone again when an error comes."""
    bases = list[str]()
    tmp = target.files.tmp
    try:
        for row in rows:
            base = make_base(target.home, _stored(source, row), verbatim=is_verbatim(row.base))
            bases.append(base)
            try:
                link_file(source.files.parts[row.part], row.name, tmp, base)
            except FileNotFoundError:
                raise MessageGoneError(row.uid) from None
        yield bases
    except BaseException:
        for base in bases:
            with suppress(OSError):
                remove_name(tmp, base)
        raise


def _free_base(row: FileRow, taken: dict[str, FileRow], source: FolderAccess) -> str:
    if row.base not in taken:
        return row.base
    return make_base(source.home, _stored(source, row), verbatim=is_verbatim(row.base))


@contextmanager
def _counted(source: FolderAccess, target: FolderAccess, rows: Sequence[FileRow]) -> Iterator[None]:
    """Count messages out of one folder and into another, where one of them is the trash."""
    octets = [_stored(source, row) for row in rows] if source.home.quota.is_limit else []
    with open_allowance(source) as leaving, open_allowance(target) as coming:
        if leaving is None:
            for each in octets:
                admit(coming, each)
        yield
        if coming is None and leaving is not None:
            for each in octets:
                leaving.release(each)


def _forget_moved(source: FolderAccess, rows: Sequence[FileRow]) -> None:
    parts = sorted({row.part for row in rows} & {NEW, CUR})
    for part in parts:
        os.fsync(source.files.parts[part])
    with source.index.changing():
        source.index.remove_messages([row.uid for row in rows], source.index.raise_modseq())
        source.note_times(*parts)


def _name_missing(source: FolderAccess, rows: Sequence[FileRow]) -> MessageGoneError:
    there = {row.uid for row in source.index.files([row.uid for row in rows])}
    return MessageGoneError(next((row.uid for row in rows if row.uid not in there), rows[0].uid))


def _tell(rows: Sequence[FileRow], uids: range, target: FolderAccess) -> Copied:
    return Copied([row.uid for row in rows], Arrival(target.uid_validity, uids))
