"""Where a delivery to a user ends, in a Maildir or an mbox. Called by the child, who is the user by then.

What is wrong with a home is an answer like any other, and the message waits for who mends it (F-5).
"""

import errno
import os
import socket
from collections.abc import Callable, Iterable, Iterator
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
    content = _receive_content(connection)
    try:
        match place:
            case HomeMaildir(folder):
                return _put_into_maildir(content, request, user.home, folder, create=create)
            case SpoolFolder(folder):
                return _put_into_mbox(content, request, folder / user.name, user.uid)
    except OSError as error:
        return Answer(describe_trouble(error))


def _receive_content(connection: socket.socket) -> Iterator[bytes]:
    """Have smtpld send the content, and give it. Raises: LostError, where it does not come to its end."""
    try:
        connection.send(GO)
        while (packet := connection.recv(MOST_OCTETS + 1)) != END:
            if not is_piece(packet):
                raise LostError
            yield read_piece(packet)
    except ConnectionError:
        raise LostError from None


def _put_into_maildir(
    content: Iterable[bytes], request: Request, home: Path, folder: PurePosixPath, *, create: bool
) -> Answer:
    if not home.is_absolute():  # where another one leads would depend on us
        raise FileNotFoundError(errno.ENOENT, "the user has no home")
    os.chdir(home)
    with Maildir(Path.cwd(), Place(folder), create=create) as maildir:
        if request.tried and maildir.keep(request.name):
            return Answer(R250_ALREADY_THERE)
        maildir.write(request.name, content)
        return _flush(maildir.flush)


def _put_into_mbox(content: Iterable[bytes], request: Request, file: Path, uid: int) -> Answer:
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
