"""One delivery to a user, in a process of its own that is root for a moment and the user from then on.

Forked by smtplud, which tells it a request and nothing else. It looks the user up itself, refuses whom the
configuration does not mean, and becomes the user before it touches the home: whatever a user has put there
leads where the user could go anyway (requirement F-4, attack L-1). It has no descriptor but the connection,
gains nothing by a set-user-id program, and dies with the program that made it.
"""

import gc
import os
import signal
import socket
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from paperpath.accounts.users import SystemUser, UserLookUpError, Users
from paperpath.config.user_place import SpoolFolder, UserPlace
from paperpath.local.users.packets import Answer, Request, format_answer
from paperpath.local.users.putting import LostError, put
from paperpath.mail.reply import make_reply
from paperpath.service.privileges import Identity, die_with_parent, drop_to, give_up_what_nobody_needs

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


def run_child(connection: socket.socket, request: Request, rules: Rules, parent: int) -> NoReturn:
    """Deliver, answer, and end with 0; with anything else where whoever asks waits. `parent` forked us."""
    code = os.EX_SOFTWARE
    try:
        gc.disable()  # what it finds may have descriptors by numbers that are others' by now
        own = _take_over(connection)
        with suppress(LostError):
            own.send(format_answer(_try_to_deliver(own, request, rules, parent)))
        code = os.EX_OK
    finally:
        os._exit(code)  # whatever it was: nothing of the program that we are a copy of may go on here


def _try_to_deliver(connection: socket.socket, request: Request, rules: Rules, parent: int) -> Answer:
    try:
        return _deliver(connection, request, rules, parent)
    except LostError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it was, nobody else knows of it
        reply = make_reply(451, "4.3.0", f"Delivery failed in an unforeseen way: {error!r}")
        return Answer(reply, uncertain=True)


def _take_over(connection: socket.socket) -> socket.socket:
    """Have the connection for ourselves, and neither signal handlers nor standard streams of our parent."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    descriptor = connection.detach()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(_CONNECTION):
        os.dup2(nothing, stream)
    os.dup2(descriptor, _CONNECTION)
    own = socket.socket(fileno=_CONNECTION)
    own.setblocking(True)
    return own


def _deliver(connection: socket.socket, request: Request, rules: Rules, parent: int) -> Answer:
    try:
        user = rules.users.find(request.user)
    except UserLookUpError as error:
        return Answer(make_reply(451, "4.3.0", f"This host does not know its users now: {error}"))
    if user is None:
        return Answer(R450_NO_USER)
    groups = find_groups(user, rules.place)
    os.closerange(_CONNECTION + 1, os.sysconf("SC_OPEN_MAX"))  # our parent's, and those of looking up
    drop_to(Identity(user.name, user.uid, user.gid, groups))
    give_up_what_nobody_needs()
    die_with_parent(parent)
    os.umask(0o077)
    return put(connection, request, user, rules.place, create=rules.create)


def find_groups(user: SystemUser, place: UserPlace) -> tuple[int, ...]:
    """Return the groups that logging in would give, and a spool folder's, whose members make locks there.

    A folder of root's group, or where the group may not write, gives none.
    """
    groups = os.getgrouplist(user.name, user.gid)
    if isinstance(place, SpoolFolder):
        with suppress(FileNotFoundError):  # which is told when it is opened
            found = place.folder.stat()
            if found.st_mode & stat.S_IWGRP and found.st_gid != 0:
                groups.append(found.st_gid)
    return tuple(groups)
