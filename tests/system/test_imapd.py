"""People read their mail by the real imapd: logins, mailboxes, messages, IDLE, several at once (K.1, K.2)."""

import imaplib
import re
import socket
import zlib
from collections.abc import Iterator
from contextlib import suppress

import pytest
from scramp import ScramClient  # type: ignore[import-untyped]

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


def test_K2_each_mechanism_that_is_announced_lets_in(imap: Imap) -> None:
    scram = ScramClient(["SCRAM-SHA-256"], ACCOUNT, PASSWORD)

    def exchange(challenge: bytes) -> bytes:
        if not challenge:
            return bytes(scram.get_client_first().encode())
        if challenge.startswith(b"v="):
            scram.set_server_final(challenge.decode())
            return b""
        scram.set_server_first(challenge.decode())
        return bytes(scram.get_client_final().encode())

    plain = b"\0".join([b"", ACCOUNT.encode(), PASSWORD.encode()])
    words = iter([ACCOUNT.encode(), PASSWORD.encode()])
    answers = {"PLAIN": lambda _: plain, "LOGIN": lambda _: next(words), "SCRAM-SHA-256": exchange}
    for mechanism, answer in answers.items():
        client = imaplib.IMAP4_SSL(
            "127.0.0.1", imap.imaps_port, ssl_context=make_client_context(), timeout=20
        )
        announced = {name for name in client.capabilities if name.startswith("AUTH=")}
        assert announced == {f"AUTH={name}" for name in answers}
        assert client.authenticate(mechanism, answer)[0] == "OK"
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


def test_K21_to_K28_what_is_announced_works(imap: Imap) -> None:
    client = imap.read()
    assert said(client, "CREATE x/junk (USE (\\Foo))")[-1].startswith(b"NO [USEATTR]")
    assert said(client, "CREATE Kept (USE (\\Archive))")[-1].startswith(b"OK [MAILBOXID (")
    assert [line.split()[-1] for line in said(client, 'LIST (SPECIAL-USE) "" *')[:-1]] == [b'"Kept"']
    listed = said(client, 'LIST "" Kept RETURN (CHILDREN SPECIAL-USE STATUS (UNSEEN SIZE))')
    assert listed[:2] == [
        b'* LIST (\\HasNoChildren \\Archive) "/" "Kept"',
        b'* STATUS "Kept" (UNSEEN 0 SIZE 0)',
    ]
    assert said(client, 'LIST (RECURSIVEMATCH) "" %')[-1].startswith(b"BAD")
    client.append("Kept", "", "", MESSAGE)
    client.append("Kept", r"(\Seen)", "", MESSAGE.replace(b"first", b"second"))
    client.unselect()
    assert said(client, "ENABLE CONDSTORE NOSUCH")[0] == b"* ENABLED CONDSTORE"
    client.select("Kept")
    assert said(client, "SEARCH RETURN (MIN COUNT) FROM nobody")[0].endswith(b") COUNT 0")
    assert said(client, "UID SEARCH RETURN (SAVE ALL) SEEN")[0].endswith(b" UID ALL 2")
    told = said(client, "FETCH $ (UID MODSEQ)")[0]
    modseq = int(told[told.rindex(b"(") + 1 : -2])
    assert said(client, f"UID STORE 2 (UNCHANGEDSINCE {modseq - 1}) +FLAGS (\\Flagged)")[-1].startswith(
        b"OK [MODIFIED 2]"
    )
    stored = said(client, f"UID STORE 2 (UNCHANGEDSINCE {modseq}) +FLAGS.SILENT (\\Flagged)")
    assert b"MODSEQ" in stored[0]
    assert b"FLAGS" not in stored[0]
    assert len(said(client, f"FETCH 1:* (FLAGS) (CHANGEDSINCE {modseq})")) == 2
    assert said(client, "SORT (REVERSE SUBJECT) UTF-8 ALL")[0] == b"* SORT 2 1"
    assert said(client, "THREAD ORDEREDSUBJECT UTF-8 ALL")[0] == b"* THREAD (1)(2)"
    assert said(client, "SEARCH YOUNGER 3600")[0] == b"* SEARCH 1 2"
    assert b"~{" in said(client, "FETCH 1 BINARY.PEEK[1]")[0]
    assert said(client, "FETCH 1 (PREVIEW)")[0] == b'* 1 FETCH (PREVIEW "Hello, . there!")'
    facts = said(client, "FETCH 1 (EMAILID THREADID SAVEDATE)")[0]
    assert re.fullmatch(rb'\* 1 FETCH \(EMAILID \(M\w+\) THREADID NIL SAVEDATE "[^"]+"\)', facts)
    assert said(client, 'GETQUOTAROOT "Kept"')[:2] == [b'* QUOTAROOT "Kept" ""', b'* QUOTA "" ()']
    client.logout()


def test_K24_who_comes_back_is_told_what_happened_meanwhile(imap: Imap) -> None:
    client, other = imap.read(), imap.read()
    client.create("Resynced")
    for _ in range(4):
        client.append("Resynced", "", "", MESSAGE)
    assert said(client, "SELECT Resynced (QRESYNC (1 1))")[-1].startswith(b"BAD")
    said(client, "UNSELECT")
    assert said(client, "ENABLE QRESYNC")[0] == b"* ENABLED QRESYNC"
    told = b"\r\n".join(said(client, "SELECT Resynced"))
    validity = re.search(rb"UIDVALIDITY (\d+)", told)
    modseq = re.search(rb"HIGHESTMODSEQ (\d+)", told)
    assert validity is not None
    assert modseq is not None
    said(client, "UNSELECT")
    other.select("Resynced")
    other.store("1", "+FLAGS", r"(\Seen)")
    other.store("2:3", "+FLAGS", r"(\Deleted)")
    other.expunge()
    known = f"{int(validity[1])} {int(modseq[1])} 1:4"
    lines = said(client, f"SELECT Resynced (QRESYNC ({known}))")
    vanished = lines.index(b"* VANISHED (EARLIER) 2:3")
    (changed,) = [line for line in lines if b" FETCH " in line]
    assert changed.startswith(b"* 1 FETCH (UID 1 FLAGS (\\Seen)")
    assert vanished < lines.index(changed)
    other.store("2", "+FLAGS", r"(\Deleted)")
    other.expunge()
    assert b"* VANISHED 4" in said(client, "NOOP")
    client.logout()
    other.logout()


def test_K27_all_is_compressed_behind_compress(imap: Imap) -> None:
    client = imap.read()
    assert said(client, "COMPRESS DEFLATE")[-1].startswith(b"OK")
    packer = zlib.compressobj(wbits=-15)
    unpacker = zlib.decompressobj(-15)
    client.send(packer.compress(b"p NOOP\r\nq COMPRESS DEFLATE\r\n") + packer.flush(zlib.Z_SYNC_FLUSH))
    answer = b""
    while answer.count(b"\n") < 2:
        answer += unpacker.decompress(client.sock.recv(1000))
    assert answer.split(b"\r\n")[0].startswith(b"p OK")
    assert answer.split(b"\r\n")[1].startswith(b"q NO [COMPRESSIONACTIVE]")
    client.shutdown()


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
