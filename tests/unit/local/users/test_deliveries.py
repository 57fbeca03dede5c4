"""The helper and its children: real users' numbers, real homes, real links in them. Takes root."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from paperpath.local.users.asking import ask_helper
from paperpath.local.users.packets import Answer, Request
from tests.support.users import JIM, JOE, Host, make_host

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="takes root")]

NAME = "1700000000.M1R2.mx.here.example"


@pytest.fixture
def host() -> Iterator[Host]:
    with make_host() as host:
        yield host


def ask(host: Host, user: str = "joe", content: bytes = b"hello\n", *, tried: bool = False) -> Answer:
    return ask_helper(host.socket_folder, Request(user, NAME, tried), [content], 20)


def test_F4_F11_what_is_delivered_is_the_users_alone(host: Host) -> None:
    home = host.add("joe", JOE)
    with host.helper():
        answer = ask(host, content=b"x" * 300_000)
    assert str(answer.reply) == "250 2.1.5 Delivered"
    made = {path.relative_to(home): path.stat() for path in [home / "Maildir", *home.rglob("Maildir/**/*")]}
    assert {(found.st_uid, found.st_gid) for found in made.values()} == {(JOE, JOE)}
    modes = {str(path): stat.S_IMODE(found.st_mode) for path, found in made.items()}
    assert modes == {
        "Maildir": 0o700,
        "Maildir/tmp": 0o700,
        "Maildir/new": 0o700,
        "Maildir/cur": 0o700,
        f"Maildir/new/{NAME}": 0o600,
    }
    assert (home / "Maildir" / "new" / NAME).read_bytes() == b"x" * 300_000
