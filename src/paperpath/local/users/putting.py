"""Where a delivery to a user ends, in a Maildir or an mbox. Called by the child, who is the user by then.

What is wrong with a home is an answer like any other, and the message waits for who mends it (F-5).
"""

import errno
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from paperpath.accounts.users import SystemUser
from paperpath.config.user_place import HomeMaildir, SpoolFolder, UserPlace
from paperpath.folders.maildir import Maildir, Place
from paperpath.folders.mbox import Mbox
from paperpath.folders.mbox_entry import format_entry
from paperpath.local.agents.attempt import R250_ALREADY_THERE, R250_DELIVERED
from paperpath.local.troubles import describe_trouble
from paperpath.local.users.packets import END, GO, MOST_OCTETS, Answer, Request, is_piece, read_piece
from paperpath.mail.reply import Reply


class LostError(Exception):
    """smtpld is gone, or says what it should not: there is nobody to answer."""


def put(
    connection: socket.socket, request: Request, user: SystemUser, place: UserPlace, *, create: bool
) -> Answer:
    """Write a delivery where the user's mail goes. Raises: LostError."""
    content = _Content(connection)
    try:
        match place:
            case HomeMaildir(folder):
                return _put_into_maildir(content, request, user.home, folder, create=create)
            case SpoolFolder(folder):
                return _put_into_mbox(content, request, folder / user.name, user.uid)
    except OSError as error:
        content.pass_over()
        return Answer(describe_trouble(error))


class _Content:
    """The content that smtpld sends once it is told to: all of it, or LostError."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._is_under_way = False

    def __iter__(self) -> Iterator[bytes]:
        self._is_under_way = True
        with suppress(ConnectionError):
            self._connection.send(GO)
        while (packet := self._receive()) != END:
            yield read_piece(packet)
        self._is_under_way = False

    def pass_over(self) -> None:
        """Read what is still to come, for smtpld listens when it has said all."""
        while self._is_under_way:
            self._is_under_way = self._receive() != END

    def _receive(self) -> bytes:
        with suppress(ConnectionError):
            packet = self._connection.recv(MOST_OCTETS + 1)
            if packet == END or is_piece(packet):
                return packet
        raise LostError


def _put_into_maildir(
    content: _Content, request: Request, home: Path, folder: PurePosixPath, *, create: bool
) -> Answer:
    if not home.is_absolute():  # where another one leads would depend on us
        raise FileNotFoundError(errno.ENOENT, "the user has no home")
    os.chdir(home)
    with Maildir(Path.cwd(), Place(folder), create=create) as maildir:
        if request.tried and maildir.keep(request.name):
            return Answer(R250_ALREADY_THERE)
        maildir.write(request.name, content)
        return _flush(maildir.flush)


def _put_into_mbox(content: _Content, request: Request, file: Path, uid: int) -> Answer:
    _refuse_strangers_file(file, uid)
    make_entry = partial(format_entry, request.sender, request.arrived_us)
    with Mbox(file) as mbox:
        if not request.tried:
            mbox.append(make_entry(content))
            return _flush(mbox.flush)
        with os.fdopen(
            os.memfd_create("message"), "w+b"
        ) as copy:  # it comes once, and is looked for by its octets
            copy.writelines(content)
            if mbox.keep(lambda: make_entry(_read_again(copy))):
                return _flush(mbox.flush, R250_ALREADY_THERE)
            mbox.append(make_entry(_read_again(copy)))
            return _flush(mbox.flush)


def _refuse_strangers_file(file: Path, uid: int) -> None:
    """See that a user's file is his. Nobody who could put another in its place needs us for that.

    Raises: OSError.
    """
    try:
        owner = file.lstat().st_uid
    except FileNotFoundError:
        return
    if owner != uid:
        raise PermissionError(errno.EPERM, "the file of the user's name belongs to somebody else")


def _read_again(copy: BinaryIO) -> Iterator[bytes]:
    copy.seek(0)
    return iter(partial(copy.read, MOST_OCTETS), b"")


def _flush(flush: Callable[[], None], reply: Reply = R250_DELIVERED) -> Answer:
    """Make durable what was delivered; where that fails, it may be there and may not."""
    try:
        flush()
    except OSError as error:
        return Answer(describe_trouble(error), uncertain=True)
    return Answer(reply)
