"""Becoming nobody in particular: started as root, a program opens what takes root, then is the service user.

The supervisor stays root, so that it can start programs anew. What it writes below the data folder it writes
as the service user, who owns that folder and could otherwise lead it elsewhere by links. Every program gives
up core dumps, being traced by its own user, and ever gaining privileges again (attack L-5).
"""

import ctypes
import grp
import os
import pwd
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from paperpath.service.errors import ServiceError

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38


@dataclass(frozen=True, slots=True)
class Identity:
    """A user of this host, with the groups that logging in would give."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


def find_identity(name: str | None) -> Identity | None:
    """Return the user to become: the one named, if we are root; nobody, if we are that user already.

    Raises: ServiceError, where there is no such user, where it is root, or where we are a third.
    """
    if name is None:
        return None
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise ServiceError(f"user: this host has no user {name}", os.EX_CONFIG) from None
    if entry.pw_uid == 0:
        raise ServiceError(f"user: {name} is root, whose privileges are to be dropped", os.EX_CONFIG)
    if os.geteuid() == entry.pw_uid:
        return None
    if os.geteuid() != 0:
        raise ServiceError(f"user: only root can become {name}", os.EX_NOPERM)
    groups = os.getgrouplist(name, entry.pw_gid)
    return Identity(name, entry.pw_uid, entry.pw_gid, tuple(groups))


def find_group(name: str, key: str = "group") -> int:
    """Return the number of a group, which is named by `key`. Raises: ServiceError, where there is none."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise ServiceError(f"{key}: this host has no group {name}", os.EX_CONFIG) from None


def become(identity: Identity | None) -> None:
    """Be another user from now on, with no way back. Raises: ServiceError, if it cannot read our code."""
    if identity is None:
        return
    drop_to(identity)
    _check_code(identity)


def drop_to(identity: Identity) -> None:
    """Be another user from now on, with no way back, whether or not it can read our code. Raises: OSError."""
    os.setgroups(identity.groups)
    os.setresgid(identity.gid, identity.gid, identity.gid)
    os.setresuid(identity.uid, identity.uid, identity.uid)


@contextmanager
def acting_as(identity: Identity | None) -> Iterator[None]:
    """Do as another user what is done in the block; no `await` in it, for all threads are that user then.

    Raises: ServiceError, if it cannot read our code.
    """
    if identity is None:
        yield
        return
    gid, groups = os.getegid(), os.getgroups()
    os.setgroups(identity.groups)
    os.setegid(identity.gid)
    os.seteuid(identity.uid)
    try:
        _check_code(identity)
        yield
    finally:
        os.seteuid(0)
        os.setegid(gid)
        os.setgroups(groups)


def give_up_what_nobody_needs() -> None:
    """Leave no core, be traced by root alone, gain nothing by a set-user-id program; for good."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    control = ctypes.CDLL(None).prctl
    control(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    control(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def die_with_parent(parent: int) -> None:
    """Be killed when the process that forked us ends. Becoming somebody undoes it, so that comes before.

    Raises: ServiceError, where it is gone already.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        raise ServiceError("the process that forked this one is gone")


def make_owned_folder(folder: Path, identity: Identity | None) -> None:
    """Make a folder that belongs to the service user. Raises: ServiceError, if it is somebody else's."""
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        pass
    else:
        if identity is not None:
            os.chown(folder, identity.uid, identity.gid, follow_symlinks=False)
    if identity is not None and folder.stat().st_uid != identity.uid:
        raise ServiceError(
            f"{folder} does not belong to {identity.name}; run: chown -R {identity.name}: {folder}",
            os.EX_CONFIG,
        )


def refuse_strangers(data: Path) -> None:
    """Let nobody in but the owner of the data: root's files in it would stop the programs.

    Raises: ServiceError.
    """
    try:
        owner = data.stat().st_uid
    except FileNotFoundError:
        return  # whoever opens it says what to do
    except OSError as error:
        raise ServiceError(f"{data}: {error.strerror}", os.EX_NOPERM) from error
    if owner != os.geteuid():
        name = name_user(owner)
        raise ServiceError(
            f"{data} belongs to {name}: only {name} and root, with user = {name}, may do this", os.EX_NOPERM
        )


def name_user(uid: int) -> str:
    """Return a user's login name, or the number of one who has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _check_code(identity: Identity) -> None:
    """See that the user we are now can read what we are made of, or some later import fails."""
    for code in (__file__, os.__file__):
        if not os.access(code, os.R_OK, effective_ids=True):
            raise ServiceError(f"{identity.name} cannot read {code}; install it where it can", os.EX_CONFIG)
