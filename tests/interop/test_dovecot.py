"""Dovecot takes mail from us by LMTP, and says for each recipient what became of it (F-14)."""

import hashlib
import json
import smtplib
from collections.abc import Iterator

import pytest

from paperpath.mail.header import find_fields, header_section
from tests.support.dovecot import Dovecot
from tests.support.installation import content_of_relayed, wait_until
from tests.support.postfix import public_folder
from tests.support.routed import RoutedInstallation, list_actions, status_blocks
from tests.support.tls import AUTHORITY

pytestmark = [pytest.mark.interop, pytest.mark.slow]

MANY = 50
CONTENTS = [
    b"Subject: dots\r\n\r\n.\r\n..\r\n.dot\r\n\r\n",
    b"Subject: long\r\n\r\n" + b"z" * 998 + b"\r\n",
    "Subject: Grüße\r\n\r\nschön\r\n".encode() + bytes(range(128, 256)) + b"\r\n",
    b"Subject: large\r\n\r\n" + b"0123456789" * 7 + b"\r\n" * 100_000,
    b"Subject: no body\r\n",
]


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with public_folder() as folder:
        dovecot = Dovecot(folder, {"joe": 0, "ann": 0, "full": 1000, "later": 0})
        with dovecot.run():
            yield dovecot


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory, dovecot: Dovecot) -> Iterator[RoutedInstallation]:
    folder = tmp_path_factory.mktemp("lmtp")
    AUTHORITY.cert_pem.write_to_path(str(folder / "ca.pem"))
    installation = RoutedInstallation(folder, {})
    text = installation.file.read_text()
    routes = f"""
[[post_office.route]]
domain = "socket.wild.example"
via = "{socket_way(dovecot)}"

[[post_office.route]]
domain = "tcp.wild.example"
via = "lmtp://127.0.0.1:{dovecot.port}"
ca_file = "ca.pem"
"""
    installation.file.write_text(text.replace("[remote]", routes + "\n[remote]"))
    with installation.up():
        yield installation


def socket_way(dovecot: Dovecot) -> str:
    return f"lmtp://unix:{dovecot.socket}"


def digests(contents: list[bytes]) -> list[str]:
    return sorted(hashlib.sha256(content).hexdigest() for content in contents)


def as_sent(delivered: bytes) -> bytes:
    """Take off what Dovecot and our relay put before a message."""
    return content_of_relayed(delivered[delivered.index(b"Received: from client.example") :])


@pytest.mark.parametrize("way", ["socket", "tcp"])
def test_F14_P1_dovecot_gets_mail_octet_for_octet(
    ours: RoutedInstallation, dovecot: Dovecot, way: str
) -> None:
    for user in ("joe", "ann"):
        for file in (dovecot.folder / "mail" / user / "new").glob("*"):
            file.unlink()
    for content in CONTENTS:
        recipients = (f"joe@{way}.wild.example", f"ann@{way}.wild.example")
        ours.send(*recipients, content=content, mail=[] if content.isascii() else ["BODY=8BITMIME"])
    ours.wait_for_rest()
    for user in ("joe", "ann"):
        delivered = dovecot.delivered(user)
        assert digests([as_sent(one) for one in delivered]) == digests(CONTENTS)
        for one in delivered:
            header = header_section(one)
            assert find_fields(header, b"return-path") == [b" <u@here.example>"]
            assert [b" with LMTP" in field for field in find_fields(header, b"received")] == [True, False]
            assert find_fields(header, b"delivered-to") == []  # it says so to one recipient alone


def test_F14_G29_each_recipient_fares_as_dovecot_says_of_it(
    ours: RoutedInstallation, dovecot: Dovecot
) -> None:
    content = b"Subject: to four\r\n\r\n" + (b"x" * 70 + b"\r\n") * 100
    joe, later, full, nobody = (f"{name}@socket.wild.example" for name in ("joe", "later", "full", "nobody"))
    before = dovecot.delivered("joe")
    with dovecot.locked_out("later"):
        ours.send(joe, later, full, nobody, content=content, rcpt=["NOTIFY=SUCCESS,FAILURE"])
        failed = ours.wait_for_report("failed", full)
        wait_until(lambda: ours.books().open == 1, "one alone to wait")
        (row,) = [json.loads(line) for line in ours.ask("queue", "list", "--json").splitlines()]
        assert (row["address"], row["destination"]) == (later, socket_way(dovecot))
        assert row["last_reply"].startswith(f"451 4.2.0 <{later}> ")
    ours.wait_for_rest()
    assert sorted(list_actions(failed)) == [("failed", full), ("failed", nobody)]
    assert [str(block["Status"]) for block in status_blocks(failed)[1:]] == ["5.2.2", "5.1.1"]
    for address in (joe, later):  # which offers no DSN
        ours.wait_for_report("delivered", address)
    assert [as_sent(one) for one in dovecot.delivered("later")] == [content]
    assert [as_sent(one) for one in dovecot.delivered("joe") if one not in before] == [content]
    assert dovecot.delivered("full") == []


def test_F14_G32_many_messages_need_few_connections(ours: RoutedInstallation, dovecot: Dovecot) -> None:
    before = len(dovecot.delivered("ann"))
    connections = dovecot.said().count(": Connect from 127.0.0.1")
    with smtplib.SMTP("127.0.0.1", ours.port) as client:
        for number in range(MANY):
            content = f"Subject: {number}\r\n\r\nHi\r\n"
            client.sendmail("u@here.example", "ann@tcp.wild.example", content)
    ours.wait_for_rest()
    assert len(dovecot.delivered("ann")) == before + MANY
    assert dovecot.said().count(": Connect from 127.0.0.1") - connections < MANY
