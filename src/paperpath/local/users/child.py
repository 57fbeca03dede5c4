"""One delivery to a user, in a process of its own that is root for a moment and the user from then on.

Forked by smtplud, which tells it a request and nothing else. It looks the user up itself, refuses whom the
configuration does not mean, and becomes the user before it touches the home: whatever a user has put there
leads where the user could go anyway (requirement F-4, attack L-1). It has no descriptor but the connection,
gains nothing by a set-user-id program, and dies with the program that made it.
"""

import errno
import gc
import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from paperpath.accounts.users import Users
from paperpath.config.user_place import HomeMaildir, UserPlace
from paperpath.folders.maildir import Maildir, Place
from paperpath.local.troubles import describe_trouble
from paperpath.local.users.packets import END, GO, MOST_OCTETS, Answer, Request, format_answer, read_piece
from paperpath.mail.reply import make_reply
from paperpath.service.privileges import Identity, die_with_parent, drop_to, give_up_what_nobody_needs

R250_DELIVERED = make_reply(250, "2.1.5", "Delivered")
R250_ALREADY_THERE = make_reply(250, "2.1.5", "Delivered by an earlier attempt")
R450_NO_USER = make_reply(450, "4.2.1", "This host does not know the user now")

_CONNECTION = 3  # the descriptor behind the standard streams


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration says: who is a user, and where their mail goes.

    `create`: a Maildir that is missing is made.
    """

    users: Users
    place: UserPlace
    create: bool


class _LostError(Exception):
    """smtpld is gone, or says what it should not: there is nobody to answer."""


def run_child(connection: socket.socket, request: Request, rules: Rules, parent: int) -> NoReturn:
    """Deliver, answer, and end with 0; with anything else where nobody was answered. `parent` forked us."""
    code = os.EX_SOFTWARE
    try:
        gc.disable()  # what it finds may have descriptors by numbers that are others' by now
        own = _keep_nothing_but(connection)
        own.send(format_answer(_deliver(own, request, rules, parent)))
        code = os.EX_OK
    finally:
        os._exit(code)  # whatever it was: nothing of the program that we are a copy of may go on here


def _keep_nothing_but(connection: socket.socket) -> socket.socket:
    """Let go of all that we have of our parent but the connection, signal handlers included."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    descriptor = connection.detach()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(_CONNECTION):
        os.dup2(nothing, stream)
    os.dup2(descriptor, _CONNECTION)
    os.closerange(_CONNECTION + 1, os.sysconf("SC_OPEN_MAX"))
    own = socket.socket(fileno=_CONNECTION)
    own.setblocking(True)
    return own


def _deliver(connection: socket.socket, request: Request, rules: Rules, parent: int) -> Answer:
    user = rules.users.find(request.user)
    if user is None or user.name != request.user:
        return Answer(R450_NO_USER)
    groups = os.getgrouplist(user.name, user.gid)
    drop_to(Identity(user.name, user.uid, user.gid, tuple(groups)))
    give_up_what_nobody_needs()
    die_with_parent(parent)
    os.umask(0o077)
    content = _Content(connection)
    try:
        os.chdir(_check_home(user.home))
        return _put(content, request, rules)
    except OSError as error:
        content.pass_over()
        return Answer(describe_trouble(error))


def _check_home(home: Path) -> Path:
    """Return an absolute path: of another one, it would depend on us where it leads. Raises: OSError."""
    if not home.is_absolute():
        raise FileNotFoundError(errno.ENOENT, "the user has no home")
    return home


def _put(content: "_Content", request: Request, rules: Rules) -> Answer:
    """Write a delivery to where we are, its owner by now. Raises: OSError; _LostError."""
    match rules.place:
        case HomeMaildir(folder):
            with Maildir(Path.cwd(), Place(folder), create=rules.create) as maildir:
                if request.tried and maildir.keep(request.name):
                    return Answer(R250_ALREADY_THERE)
                maildir.write(request.name, content)
                try:
                    maildir.flush()
                except OSError as error:
                    return Answer(describe_trouble(error), uncertain=True)
    return Answer(R250_DELIVERED)


class _Content:
    """The content that smtpld sends once it is told to: all of it, or _LostError."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._is_under_way = False

    def __iter__(self) -> Iterator[bytes]:
        self._is_under_way = True
        self._connection.send(GO)
        while (packet := self._connection.recv(MOST_OCTETS + 1)) != END:
            piece = read_piece(packet)
            if piece is None:
                raise _LostError
            yield piece
        self._is_under_way = False

    def pass_over(self) -> None:
        """Read what is still to come, so that smtpld listens to the answer."""
        while self._is_under_way:
            packet = self._connection.recv(MOST_OCTETS + 1)
            if read_piece(packet) is None:
                self._is_under_way = False
