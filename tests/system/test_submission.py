"""People hand in their mail to the real smtpsd: who has service, and what becomes of it (B.1, X-8)."""

import getpass
import os
import re
import smtplib
import stat
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import find_free_port, wait_until
from tests.support.relay import LOOPS
from tests.support.submission import ACCOUNT, PASSWORD, Submission

pytestmark = pytest.mark.slow

MESSAGE = "Subject: first\r\n\r\nHello!\r\n"
ALLOWED = '[[submission.access]]\nclients = ["127.0.0.2"]\nservice = "privileged"\n'


@pytest.fixture(scope="module")
def submission(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Submission]:
    submission = Submission(tmp_path_factory.mktemp("submission"), more=ALLOWED)
    with submission.up():
        yield submission


def send(client: smtplib.SMTP, sender: str = ACCOUNT, message: str | bytes = MESSAGE) -> None:
    refused = client.sendmail(sender, ["u@here.example"], message)
    assert refused == {}


def field(message: bytes, name: str) -> str:
    """Return the value of the first field of that name, its lines joined by spaces."""
    found = re.search(rf"(?m)^{name}: (.*(?:\n[ \t].*)*)", message.decode())
    assert found is not None, message
    return re.sub(r"\n\s+", " ", found[1])


def test_A80_B28_who_logs_in_over_starttls_sends(submission: Submission) -> None:
    with submission.connect() as client:
        send(client)
    (message,) = submission.take()
    assert b"\nSubject: first\n" in message
    trace = field(message, "Received")
    assert trace.startswith("from client.example ([127.0.0.1]) by mx.here.example with ESMTPSA id ")
    assert re.search(r" id \w+ tls TLS_[A-Z0-9_]+; \w+, ", trace), trace


def test_A73_on_the_port_with_tls_from_the_start_nothing_is_said_in_the_clear(
    submission: Submission,
) -> None:
    with submission.connect_tls() as client:
        client.ehlo()
        assert not client.has_extn("starttls")
        assert client.docmd("STARTTLS")[0] == 503
        client.login(ACCOUNT, PASSWORD)
        send(client)
    (message,) = submission.take()
    assert " with ESMTPSA id " in field(message, "Received")


def test_A80_no_password_is_taken_in_the_clear(submission: Submission) -> None:
    with submission.connect(tls=False, login=False) as client:
        client.ehlo()
        assert client.has_extn("starttls")
        assert not client.has_extn("auth")
        assert client.docmd("AUTH PLAIN AGpvZUBoZXJlLmV4YW1wbGUAb3BlbiBzZXNhbWU=")[0] in (504, 530, 538)


def test_B2_A84_strangers_get_530_for_all_that_is_of_use(submission: Submission) -> None:
    with submission.connect(login=False) as client:
        client.ehlo()
        for command in (
            "MAIL FROM:<a@b.example>",
            "VRFY joe",
            "RCPT TO:<a@b.example>",
            "DATA",
            "BDAT 0 LAST",
        ):
            assert client.docmd(command)[0] == 530, command
        for command in ("NOOP", "RSET"):
            assert client.docmd(command)[0] == 250, command


def test_B2_X8_whom_the_access_rules_name_needs_no_login(submission: Submission) -> None:
    with smtplib.SMTP(
        "127.0.0.1", submission.submission_port, "client.example", source_address=("127.0.0.2", 0)
    ) as client:
        send(client)
    (message,) = submission.take()
    assert " with ESMTP id " in field(message, "Received")


@pytest.mark.parametrize("sender", ["", "anyone@else.example", "u@here.example"])
def test_B3_B5_who_has_service_sends_as_anybody(submission: Submission, sender: str) -> None:
    with submission.connect() as client:
        send(client, sender, "From: joe@here.example\r\n" + MESSAGE)
    (message,) = submission.take()
    assert field(message, "Return-Path") == f"<{sender}>"


def test_B3_any_recipient_is_taken_but_one_that_nobody_is(submission: Submission) -> None:
    with submission.connect() as client:
        client.ehlo()
        assert client.mail("joe@here.example")[0] == 250
        assert client.rcpt("x@else.example")[0] == 250
        assert client.rcpt("nobody@here.example")[0] == 550


def test_B8_what_is_announced(submission: Submission) -> None:
    with submission.connect(login=False) as client:
        client.ehlo()
        assert {"pipelining", "enhancedstatuscodes", "dsn", "8bitmime", "size", "auth"} <= set(
            client.esmtp_features
        )
        assert client.esmtp_features["auth"].split() == ["SCRAM-SHA-256", "PLAIN", "LOGIN"]
        client.login(ACCOUNT, PASSWORD)
        assert client.docmd("ETRN else.example")[0] == 502
        assert client.docmd("AUTH PLAIN")[0] == 503


def test_X8_L3_a_user_of_this_host_needs_no_login_on_the_local_socket(submission: Submission) -> None:
    assert stat.S_IMODE(submission.socket.stat().st_mode) == 0o666
    assert stat.S_IMODE(submission.socket.parent.stat().st_mode) == 0o711
    for folder in ("control", "wake"):
        assert stat.S_IMODE((submission.socket.parent / folder).stat().st_mode) == 0o700
    with submission.connect_local() as client:
        client.ehlo()
        assert not client.has_extn("starttls")
        send(client, "")
    (message,) = submission.take()
    login = getpass.getuser()
    assert field(message, "From") == f"{login}@here.example"
    assert field(message, "Received").startswith(
        f"by mx.here.example (Paperpath, from user {login}, uid {os.getuid()}) with ESMTP id "
    )


def test_B12_the_account_is_who_it_is_from(submission: Submission) -> None:
    with submission.connect() as client:
        send(client, "u@here.example")
    (message,) = submission.take()
    assert field(message, "From") == ACCOUNT
    assert field(message, "Message-ID").endswith("@mx.here.example>")
    assert field(message, "Date")


def test_a_long_message_passes_beside_others(submission: Submission) -> None:
    body = "".join(f"line {number}\r\n" for number in range(500_000))
    with submission.connect() as client, submission.connect() as other:
        client.ehlo()
        client.mail(ACCOUNT)
        client.rcpt("u@here.example")
        assert client.docmd("DATA")[0] == 354
        content = f"Subject: long\r\n\r\n{body}".encode()
        client.send(content[: len(content) // 2])
        send(other)
        client.send(content[len(content) // 2 :] + b".\r\n")
        assert client.getreply()[0] == 250
    long, short = sorted(submission.take(2), key=len, reverse=True)
    assert long.partition(b"\n\n")[2] == body.replace("\r\n", "\n").encode()
    assert b"Subject: first" in short


def test_P9_why_tells_who_sent_it_and_what_was_done_to_it(submission: Submission) -> None:
    with submission.connect() as client:
        send(client, "joe@here.example", "Subject: why\r\nMessage-ID: <why@client.example>\r\n\r\n")
    submission.take()
    told = submission.run("why", "--config", str(submission.file), "why@client.example")
    assert "by submission from 127.0.0.1 (client.example) with ESMTPSA" in told
    assert "logged in as joe@here.example" in told
    assert "put into canonical form: 'From added', 'Date added'" in told
    assert PASSWORD not in submission.output()


def test_the_commands_know_it(submission: Submission) -> None:
    told = submission.run("status", "--config", str(submission.file))
    assert f"listening on 127.0.0.1:{submission.submission_port} 127.0.0.1:{submission.tls_port}" in told
    explained = submission.run("explain", "rcpt", "--config", str(submission.file), "x@else.example")
    assert "submission says '250 2.1.5 Recipient taken'" in explained


def test_a_reload_changes_what_new_sessions_get(tmp_path: Path) -> None:
    submission = Submission(tmp_path, processes=2)
    with submission.up():
        with submission.connect() as client:
            send(client, "u@here.example")
            text = submission.file.read_text()
            told = "own_senders = true\nhide_client_address = true\n"
            submission.file.write_text(text.replace("[submission]\n", f"[submission]\n{told}"))
            submission.run("reload", "--config", str(submission.file))
            send(client, "u@here.example")
        submission.take(2)
        with submission.connect() as client:
            client.ehlo()
            assert client.mail("u@here.example") == (550, b"5.7.1 Send as the address that you log in with")
            send(client)
            send(client, "")
        for message in submission.take(2):
            assert field(message, "Received").startswith("by mx.here.example with ESMTPSA id ")
            assert b"127.0.0.1" not in message


def test_smtpsd_dies_and_comes_back_on_all_its_sockets(tmp_path: Path) -> None:
    submission = Submission(tmp_path)
    with submission.up():
        pid = submission.pid("smtpsd")
        submission.kill("smtpsd")
        wait_until(lambda: submission.pid("smtpsd") not in (None, pid), "another smtpsd")
        for client in (submission.connect(), submission.connect_local()):
            with client:
                send(client)
        submission.take(2)
    with submission.up(), submission.connect_local() as client:
        send(client)


def test_without_its_table_it_does_not_start(tmp_path: Path) -> None:
    submission = Submission(tmp_path)
    text = submission.file.read_text()
    submission.file.write_text(text[: text.index("[submission]")])
    with submission.start("smtpsd") as process:
        assert process.wait(20) == os.EX_CONFIG
    assert "smtpsd needs a table [submission]" in submission.output()


@pytest.mark.parametrize("loop", LOOPS)
def test_every_door_opens_on_both_event_loops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loop: str
) -> None:
    monkeypatch.setenv("PAPERPATH_LOOP", loop)
    submission = Submission(tmp_path, processes=2)
    with submission.up():
        for client in (submission.connect(), submission.connect_tls(), submission.connect_local()):
            with client:
                client.login(ACCOUNT, PASSWORD)
                send(client)
        submission.take(3)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("MAIL FROM:<a@@b.example>", "501 5.1.7"),
        ("RCPT TO:<a@b..example>", "501 5.1.3"),
        ("RCPT TO:<joe@sales>", "554 5.1.3"),
        ("RCPT TO:<joe>", "250 2.1.5"),
        ("RCPT TO:<joe@here.example.>", "250 2.1.5"),
    ],
)
def test_B6_B9_addresses_of_commands(submission: Submission, command: str, code: str) -> None:
    with submission.connect() as client:
        client.ehlo()
        if command.startswith("RCPT"):
            client.mail(ACCOUNT)
        told, text = client.docmd(command)
        assert f"{told} {text.decode()}".startswith(code)


def test_B6_a_bad_address_in_the_header_is_refused_behind_the_data(submission: Submission) -> None:
    with submission.connect() as client, pytest.raises(smtplib.SMTPDataError) as caught:
        send(client, message="To: a@@b.example\r\nSubject: bad\r\n\r\n")
    assert re.match(r"b'5\.(6\.0|1\.3) .*\bTo\b", repr(caught.value.smtp_error)), caught.value
    assert caught.value.smtp_code == 554


def test_B9_what_is_delivered_has_whole_addresses(submission: Submission) -> None:
    with submission.connect() as client:
        client.sendmail("joe", ["u", "u@here.example."], "To: u\r\n" + MESSAGE)
    (message,) = submission.take()
    assert field(message, "Return-Path") == "<joe@here.example>"
    assert field(message, "Delivered-To") == "u@here.example"
    assert field(message, "To") == "u@here.example"


def test_X12_a_bare_newline_is_refused_at_every_door(submission: Submission) -> None:
    for client in (submission.connect(), submission.connect_local()):
        with client:
            client.ehlo()
            client.mail(ACCOUNT)
            client.rcpt("u@here.example")
            assert client.docmd("DATA")[0] == 354
            client.send(b"Subject: bare\n\nHello\r\n.\r\n")
            assert client.getreply()[0] == 550


def test_metrics_count_it(tmp_path: Path) -> None:
    port = find_free_port()
    submission = Submission(tmp_path, more=f'[metrics]\nlisten = "127.0.0.1:{port}"\n')
    with submission.up():
        with submission.connect() as client:
            send(client)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as page:
            told = page.read().decode()
    assert 'paperpath_up{program="smtpsd"} 1.0' in told
    assert 'paperpath_messages_accepted_total{program="smtpsd"} 1.0' in told
    assert re.search(r'paperpath_replies_total\{code="235",.*program="smtpsd".*\} 1\.0', told)
