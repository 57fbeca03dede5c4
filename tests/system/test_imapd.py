"""People read their mail by the real imapd: logins, mailboxes, messages, IDLE, several at once (K.1, K.2)."""

import imaplib
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.support.imap import Imap, heard, said
from tests.support.installation import wait_until
from tests.support.submission import ACCOUNT, PASSWORD
from tests.support.tls import make_client_context

pytestmark = pytest.mark.slow

MESSAGE = b"From: Ann <ann@else.example>\r\nSubject: first light\r\n\r\nHello,\r\n.\r\nthere!\r\n"


@pytest.fixture(scope="module")
def imap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imap]:
    installation = Imap(tmp_path_factory.mktemp("imap"))
    with installation.up():
        yield installation


def test_K2_nobody_logs_in_in_the_clear_and_capabilities_come_by_themselves(imap: Imap) -> None:
    client = imaplib.IMAP4("127.0.0.1", imap.imap_port, timeout=20)
    assert "LOGINDISABLED" in client.capabilities
    assert not any(name.startswith("AUTH=") for name in client.capabilities)
    with pytest.raises(imaplib.IMAP4.error, match="PRIVACYREQUIRED"):
        client.login(ACCOUNT, PASSWORD)
    client.starttls(make_client_context())
    assert {"AUTH=PLAIN", "AUTH=SCRAM-SHA-256", "SASL-IR"} <= set(client.capabilities)
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        client.login(ACCOUNT, "guess")
    assert b"IDLE" in client.login(ACCOUNT, PASSWORD)[1][0]
    client.logout()


def test_K3_what_comes_behind_starttls_in_the_clear_is_never_carried_out(imap: Imap) -> None:
    with socket.create_connection(("127.0.0.1", imap.imap_port), timeout=20) as connection:
        greeting = connection.recv(1000)
        assert greeting.startswith(b"* OK [CAPABILITY IMAP4rev1 ")
        connection.sendall(b"a STARTTLS\r\nb NOOP\r\nc NOOP\r\n")
        assert connection.recv(1000).startswith(b"a OK ")
        with make_client_context().wrap_socket(connection) as encrypted:
            encrypted.sendall(b"d NOOP\r\n")
            assert encrypted.recv(1000).startswith(b"d OK ")


def test_K5_K14_K15_K18_a_message_comes_back_as_it_was_put_in(imap: Imap) -> None:
    client = imap.read()
    client.create('"Round trip"')
    (told,) = client.append('"Round trip"', r"(\Flagged $Forwarded)", "", MESSAGE)[1]
    assert b"[APPENDUID " in told
    uid = told.split()[2].rstrip(b"]")
    client.select('"Round trip"')
    ((_, octets), flags) = client.uid("FETCH", uid, "(BODY[])")[1]
    assert octets == MESSAGE
    assert rb"\Seen" in flags
    (facts,) = client.uid("FETCH", uid, "(RFC822.SIZE FLAGS)")[1]
    assert b"RFC822.SIZE %d" % len(MESSAGE) in facts
    assert b"$Forwarded" in facts
    assert said(client, "FETCH 1 BODY[1]<100.5>")[0] == b'* 1 FETCH (BODY[1]<100> "")'
    client.store("1", "+FLAGS.SILENT", r"(\Deleted)")
    assert client.expunge() == ("OK", [b"1"])
    client.logout()


def test_K10_K11_K19_messages_move_and_mailboxes_are_made_with_those_above_them(imap: Imap) -> None:
    client = imap.read()
    assert b"[TRYCREATE]" in client.append("nowhere", "", "", MESSAGE)[1][0]
    client.create("a/b/c")
    assert [line.split()[-1] for line in client.list('""', "a*")[1]] == [b'"a"', b'"a/b"', b'"a/b/c"']
    client.append("a/b", "", "", MESSAGE)
    client.select("a/b")
    moved = said(client, "UID MOVE 1 a/b/c")
    assert [line.split()[1] for line in moved] == [b"OK", b"1", b"Done"]
    assert moved[0].startswith(b"* OK [COPYUID ")
    client.select("a/b/c")
    client.rename("a", "z")
    assert client.uid("SEARCH", "SUBJECT", '"First Light"')[1] == [b"1"]  # it is selected under its new name
    client.delete("z/b")
    assert [line.split()[-1] for line in client.list('""', "z/*")[1]][-1] == b'"z/b/c"'
    client.logout()


def test_K17_K6_who_idles_hears_of_a_delivery_and_of_what_others_do(imap: Imap) -> None:
    client, other = imap.read(), imap.read()
    before = int(client.untagged_responses.get("EXISTS", client.select()[1])[-1])
    client.send(b"i IDLE\r\n")
    assert client.readline().startswith(b"+ ")
    with imap.connect() as sender:
        sender.sendmail(ACCOUNT, [ACCOUNT], "Subject: news\r\n\r\nHello!\r\n")
    assert client.readline() == b"* %d EXISTS\r\n" % (before + 1)
    assert client.readline().endswith(b" RECENT\r\n")
    other.noop()
    other.store(str(before + 1), "+FLAGS", r"(\Deleted)")
    assert rb"FLAGS (\Deleted" in client.readline()
    other.expunge()
    assert client.readline() == b"* %d EXPUNGE\r\n" % (before + 1)
    client.send(b"DONE\r\n")
    assert heard(client, b"i")[-1].startswith(b"OK")
    client.logout()
    other.logout()


def test_K6_no_message_loses_its_number_in_a_fetch_by_numbers(imap: Imap) -> None:
    client, other = imap.read(), imap.read()
    for name in ("one", "two"):
        client.append("INBOX", "", "", b"Subject: %s\r\n\r\n" % name.encode())
    client.select()
    other.select()
    last = int(other.select()[1][0])
    other.store(str(last - 1), "+FLAGS", r"(\Deleted)")
    other.expunge()
    fetched = said(client, f"FETCH {last} (BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    assert b"Subject: two" in fetched[0]
    assert not any(line.endswith(b"EXPUNGE") for line in fetched)
    gone = said(client, f"FETCH {last - 1} (BODY.PEEK[])")
    assert gone[-1].startswith(b"NO [EXPUNGEISSUED]")
    assert b"* %d EXPUNGE" % (last - 1) in said(client, "NOOP")
    client.logout()
    other.logout()


def test_K29_K4_uids_outlive_imapd_when_it_is_killed(imap: Imap) -> None:
    client = imap.read()
    client.create("Lasting")
    for _ in range(3):
        client.append("Lasting", "", "", MESSAGE)
    client.select("Lasting")
    before = client.fetch("1:*", "(UID)")[1]
    client.store("2", "+FLAGS", r"(\Answered)")
    validity = client.response("UIDVALIDITY")[1]
    imap.kill("imapd")
    client.shutdown()
    wait_until(lambda: _reads(imap), "imapd to live again")
    client = imap.read("Lasting")
    assert client.response("UIDVALIDITY")[1] == validity
    assert client.fetch("1:*", "(UID)")[1] == before
    assert rb"\Answered" in client.fetch("2", "(FLAGS)")[1][0]
    client.logout()


def test_P6_bad_input_is_answered_by_an_error_line_at_most(imap: Imap) -> None:
    client = imap.read()
    for words in (
        "SEARCH " + "(" * 10_000,
        "FETCH 4294967295 (FLAGS)",
        "UID FETCH 4294967294:4294967295 (FLAGS)",
        "APPEND INBOX {4294967295}",
        "STORE 1:* +FLAGS",
        "NONSENSE",
    ):
        assert said(client, words)[-1].split()[0] in {b"BAD", b"NO", b"OK"}, words
    assert client.noop()[0] == "OK"
    client.logout()


def _reads(imap: Imap) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", imap.imap_port), timeout=20) as connection:
        return connection.recv(1000).startswith(b"* OK")
    return False
