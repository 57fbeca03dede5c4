"""The helper that delivers to users, with users of a test instead of the host's: real numbers, no accounts.

Runs as a program of its own, since it forks and its children become others; it ends when its standard input
is closed.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paperpath.accounts.users import SystemUser, UserLookUpError, Users
from paperpath.config.user_place import parse_user_place
from paperpath.local.users.child import Rules
from paperpath.local.users.deliveries import Limits, UserDeliveries
from paperpath.local.users.place import SOCKET
from paperpath.service.log import open_log
from paperpath.service.program import loop_factory
from paperpath.service.socket_folder import SocketFolder

JOE, JIM = 54_321, 54_322
"""Numbers that no account has."""
UNSURE = "unsure"
"""A name that cannot be looked up."""


@dataclass
class Host:
    """A machine with users, each with a home of his own."""

    folder: Path
    users: dict[str, SystemUser] = field(default_factory=dict)

    @property
    def socket_folder(self) -> Path:
        return self.folder / "run"

    def add(self, name: str, uid: int, home: Path | None = None) -> Path:
        """Add a user; return the home, made if none is named."""
        if home is None:
            home = self.folder / name
            home.mkdir(mode=0o700)
            os.chown(home, uid, uid)
        self.users[name] = SystemUser(name, uid, uid, home)
        return home

    @contextmanager
    def helper(
        self,
        place: str = "~/Maildir",
        *,
        limit_s: float = 30,
        turn_s: float = 5,
        most: int = 20,
        create: bool = True,
        client_uid: int = 0,
    ) -> Iterator["subprocess.Popen[bytes]"]:
        """Run the helper for the length of the block."""
        told = {
            "folder": str(self.socket_folder),
            "place": place,
            "limit_s": limit_s,
            "turn_s": turn_s,
            "most": most,
            "create": create,
            "client_uid": client_uid,
            "users": [[user.name, user.uid, user.gid, str(user.home)] for user in self.users.values()],
        }
        command = [sys.executable, "-m", "tests.support.users", json.dumps(told)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            try:
                yield process
            finally:
                assert process.stdin is not None
                process.stdin.close()
                process.wait()


@contextmanager
def make_host() -> Iterator[Host]:
    """Give a host in a folder that every user can reach, which pytest's are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Host(Path(name))


async def _serve(told: dict[str, Any]) -> None:
    users = {name: SystemUser(name, uid, gid, Path(home)) for name, uid, gid, home in told["users"]}

    def look_up(name: str) -> SystemUser | None:
        if name == UNSURE:
            raise UserLookUpError("Connection refused")
        return users.get(name)

    rules = Rules(Users(look_up, 1000, 60_000), parse_user_place(told["place"]), told["create"])
    folder = SocketFolder(Path(told["folder"]))
    listener = folder.bind(SOCKET, socket.SOCK_SEQPACKET, "smtplud")
    listener.listen()
    limits = Limits(told["most"], told["limit_s"], told["turn_s"])
    deliveries = UserDeliveries(rules, told["client_uid"], limits, open_log("smtplud"))
    loop, ending = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ending.set)
    async with deliveries.serve(listener):
        print("ready", flush=True)
        await ending.wait()


def main() -> None:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(json.loads(sys.argv[1])))


if __name__ == "__main__":
    main()
