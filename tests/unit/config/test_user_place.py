from pathlib import Path, PurePosixPath

import pytest

from paperpath.config.user_place import HomeMaildir, SpoolFolder, parse_user_place
from tests.unit.config.example import RIGHT, complain, configure

USERS = f'user = "paperpath"\n{RIGHT}\n[local]\nsystem_users = true\n'


def test_users_have_no_mailboxes_unless_told_and_then_in_their_homes():
    assert not configure().local.system_users
    local = configure(USERS).local
    assert (local.system_deliver, local.system_first_uid, local.system_last_uid) == (
        HomeMaildir(PurePosixPath("Maildir")),
        1000,
        60_000,
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("~/Maildir", HomeMaildir(PurePosixPath("Maildir"))),
        ("~/mail/in/", HomeMaildir(PurePosixPath("mail/in"))),
        ("/var/mail/{user}", SpoolFolder(Path("/var/mail"))),
    ],
)
def test_F4_a_place_is_read(text, place):
    assert parse_user_place(text) == place
    assert configure(f'{USERS}system_deliver = "{text}"\n').local.system_deliver == place


@pytest.mark.parametrize(
    "text",
    [
        "",
        "~",
        "~/",
        "~/..",
        "~/a/../..",
        "~joe/Maildir",
        "~//etc",
        "Maildir",
        "/var/mail",
        "/var/mail/x{user}",
        "/var/{user}/{user}",
        "/var/mail/../{user}",
        "/var/mail/{user}/Maildir",
        "{user}",
        "~/a\0",
    ],
)
def test_F4_a_place_that_is_not_each_users_own_is_refused(text):
    with pytest.raises(ValueError, match=r"^expected a Maildir in the home"):
        parse_user_place(text)


def test_users_want_a_service_user_and_numbers_in_order():
    assert complain(USERS.replace('user = "paperpath"\n', "")) == [
        'paperpath.toml:10: local.system_users: expected user too, such as user = "paperpath":'
        " who the rest runs as"
    ]
    assert complain(f"{USERS}system_first_uid = 2000\nsystem_last_uid = 1999\n") == [
        "paperpath.toml:13: local.system_last_uid: expected at least system_first_uid, 2000, got 1999"
    ]
    (problem,) = complain(f"{USERS}system_first_uid = 0\n")
    assert problem.endswith("expected the number of a user, from 1 to 4294967294, got 0")
