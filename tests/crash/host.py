"""A stand-in for a host with users: they are in no file of this host, and nobody has to be root to be them.

What becoming a user means is for tests/system/test_users.py. Here all that smtplud and its children do is
done by who runs the tests: the calls are the same ones, and so are the deaths.
"""

import os
import pwd
from pathlib import Path

from paperpath.commands import options
from paperpath.local import smtplud
from paperpath.local.users import child, putting
from paperpath.service import program

SERVICE = "paperpath"
"""The user who owns the mail, which the configuration has to name."""
SUE, TOM, FILED = "sue", "tom", "mbox"
_UID = 54_321
_real_getpwnam = pwd.getpwnam


def home_of(name: str, folder: Path) -> Path:
    """Return the home of a user, in an installation: it is where mailboxes are looked into."""
    return folder / "data" / "mailboxes" / "here.example" / name


def install(folder: Path) -> None:
    """Have these users in this process, with homes in an installation."""

    def getpwnam(name: str) -> pwd.struct_passwd:
        if name not in (SUE, TOM, FILED):
            return _real_getpwnam(name)
        home = str(home_of(name, folder))
        return pwd.struct_passwd((name, "x", _UID, os.getegid(), "", home, "/bin/sh"))

    pwd.getpwnam = getpwnam
    for module in (options, smtplud, program):
        vars(module)["find_identity"] = lambda name: None
    vars(smtplud)["refuse_without_root"] = lambda configuration: None
    vars(child)["drop_to"] = lambda identity: None
    vars(putting)["_refuse_strangers_file"] = lambda file, uid: None
