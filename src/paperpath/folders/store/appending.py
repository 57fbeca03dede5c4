"""APPEND: messages are written to tmp as they come, and come into the folder together.

Stored with LF, as all mail (requirement F-9), as long as nothing else than CRLF ends lines. What has a bare
CR or LF is stored verbatim from there on and from the beginning, and its name says so: what came is served.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from paperpath.folders.store.access import FolderAccess
from paperpath.folders.store.allotment import admit, open_allowance
from paperpath.folders.store.files import remove_name
from paperpath.folders.store.landing import Candidate, land
from paperpath.folders.store.staging import create_file, make_base
from paperpath.folders.store.values import Arrival
from paperpath.mail.newlines import has_bare_newline
from paperpath.service.durable import write_all

_READ_AT_ONCE = 65536


@dataclass(slots=True)
class _Written:
    """A message that is whole in tmp, under its base."""

    base: str
    flags: frozenset[str]
    internal_us: int
    stored: int
    octets: int


class Appending:
    """Messages on their way in; see `NewMessages` in interface.py."""

    def __init__(self, access: FolderAccess) -> None:
        """Take over an open folder, which is closed at the end."""
        self._access = access
        self._written: list[_Written] = []
        self._writing: _Writing | None = None
        self._coming: tuple[frozenset[str], int | None] = frozenset(), None
        self._is_over = False

    def begin(self, flags: Iterable[str], internal_us: int | None, octets: int) -> None:
        """Begin a message."""
        self._end_message()
        self._coming = frozenset(flags), internal_us
        with self._access.reading():
            self._access.index.flag_names().find_new(self._coming[0])
        self._check_room(octets // 2)  # what is stored is shorter by the number of lines
        self._writing = _Writing(self._access)

    def write(self, octets: bytes) -> None:
        """Take the next octets."""
        if self._writing is not None:
            self._writing.write(octets)

    def finish(self) -> Arrival:
        """Put all messages into the folder."""
        self._end_message()
        try:
            with self._access.locked(), open_allowance(self._access) as allowance:
                for one in self._written:
                    admit(allowance, one.stored)
                uids = land(self._access, self._candidates()) if self._written else range(0)
            self._written.clear()
        finally:
            self.abandon()
        return Arrival(self._access.uid_validity, uids)

    def abandon(self) -> None:
        """Give up what is written, and let go."""
        if self._is_over:
            return
        self._is_over = True
        if self._writing is not None:
            self._writing.abandon()
        for one in self._written:
            with suppress(OSError):
                remove_name(self._access.files.tmp, one.base)
        self._access.close()

    def _check_room(self, stored: int) -> None:
        """Raises: OverQuotaError; OverWholeQuotaError, where a message has no room behind those written."""
        with open_allowance(self._access) as allowance:
            if allowance is not None:
                allowance.admit(sum(one.stored for one in self._written) + max(stored, 1))

    def _end_message(self) -> None:
        if self._writing is None:
            return
        flags, internal_us = self._coming
        writing, self._writing = self._writing, None
        date_us = self._access.home.clock_ns() // 1000 if internal_us is None else internal_us
        self._written.append(writing.end(flags, date_us))

    def _candidates(self) -> list[Candidate]:
        flags = frozenset[str]().union(*(one.flags for one in self._written))
        names = self._access.adopt_keywords(flags)
        tmp = self._access.files.tmp
        return [
            Candidate(tmp, one.base, one.base, names.to_number(one.flags), one.internal_us, one.octets)
            for one in self._written
        ]


class _Writing:
    """One message that is being written."""

    def __init__(self, access: FolderAccess) -> None:
        self._access = access
        self._name = make_base(access.home, 0, verbatim=False)
        self._file = create_file(access.files.tmp, self._name)
        self._is_verbatim = False
        self._holds_cr = False  # the last octet was a CR, and is not written yet
        self._octets = 0
        self._stored = 0

    def write(self, octets: bytes) -> None:
        self._octets += len(octets)
        if not self._is_verbatim:
            octets = b"\r" + octets if self._holds_cr else octets
            self._holds_cr = octets.endswith(b"\r")
            if self._holds_cr:
                octets = octets[:-1]
            if has_bare_newline(octets):
                self._become_verbatim()
                octets += b"\r" if self._holds_cr else b""
            else:
                octets = octets.replace(b"\r\n", b"\n")
        self._put(octets)

    def end(self, flags: frozenset[str], internal_us: int) -> _Written:
        if self._holds_cr and not self._is_verbatim:
            self._become_verbatim()
            self._put(b"\r")
        os.utime(self._file, ns=(internal_us * 1000, internal_us * 1000))
        os.fsync(self._file)
        os.close(self._file)
        base = make_base(self._access.home, self._stored, verbatim=self._is_verbatim)
        tmp = self._access.files.tmp
        os.rename(self._name, base, src_dir_fd=tmp, dst_dir_fd=tmp)
        return _Written(base, flags, internal_us, self._stored, self._octets)

    def abandon(self) -> None:
        os.close(self._file)
        with suppress(OSError):
            remove_name(self._access.files.tmp, self._name)

    def _put(self, octets: bytes) -> None:
        write_all(self._file, octets)
        self._stored += len(octets)

    def _become_verbatim(self) -> None:
        """Write what was written once more, as it came."""
        self._is_verbatim = True
        name = make_base(self._access.home, 0, verbatim=True)
        old, tmp = self._file, self._access.files.tmp
        self._file, self._stored, place = create_file(tmp, name), 0, 0
        while octets := os.pread(old, _READ_AT_ONCE, place):
            place += len(octets)
            self._put(octets.replace(b"\n", b"\r\n"))
        os.close(old)
        remove_name(tmp, self._name)
        self._name = name
