"""Who logs in to the real smtpsd, by which means, and who does not (requirements A.10, S-7, L-5)."""

import base64
import smtplib
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from paperpath.accounts.secrets import Limits
from tests.support.installation import wait_until
from tests.support.submission import ACCOUNT, PASSWORD, Submission
from tests.support.tls import make_client_context

pytestmark = pytest.mark.slow

AUTHORITY = trustme.CA()
MESSAGE = "Subject: in\r\n\r\n"


@pytest.fixture(scope="module")
def submission(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Submission]:
    folder = tmp_path_factory.mktemp("logins")
    AUTHORITY.cert_pem.write_to_path(str(folder / "clients.pem"))
    submission = Submission(folder, more_submission='client_ca = "clients.pem"')
    submission.give_password("admin@here.example", PASSWORD, is_suspended=True)
    submission.give_password("u@here.example", PASSWORD, limits=Limits(2, 3))
    with submission.up():
        yield submission


def encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def plain(client: smtplib.SMTP, name: str, password: str, acting_for: str = "") -> tuple[int, bytes]:
    return client.docmd("AUTH", "PLAIN " + encode("\0".join([acting_for, name, password])))


def certify(*names: str, authority: trustme.CA = AUTHORITY) -> ssl.SSLContext:
    """Make a client's context with a certificate for addresses of mail, or for hosts."""
    context = make_client_context()
    authority.issue_cert(*names).configure_cert(context)
    return context


def external(client: smtplib.SMTP, name: str = "") -> int:
    client.ehlo()
    return client.docmd("AUTH", f"EXTERNAL {encode(name) or '='}")[0]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("name", [ACCOUNT, "joe", "JOE@HERE.example"])
def test_A80_A81_the_password_lets_in(submission: Submission, mechanism: str, name: str) -> None:
    with submission.connect(login=False) as client:
        client.ehlo()
        client.user, client.password = name, PASSWORD
        method = client.auth_plain if mechanism == "PLAIN" else client.auth_login
        assert client.auth(mechanism, method, initial_response_ok=mechanism == "PLAIN")[0] == 235
        assert client.mail(ACCOUNT)[0] == 250


def test_A84_S7_who_is_unknown_hears_what_a_wrong_password_does(submission: Submission) -> None:
    replies = set()
    for name in ("joe", "nobody", "joe@else.example"):
        with submission.connect(login=False) as client:
            client.ehlo()
            replies.add(plain(client, name, "wrong"))
            assert client.docmd("MAIL FROM:<joe@here.example>")[0] == 530
            assert plain(client, "joe", PASSWORD)[0] == 235
    assert replies == {(535, b"5.7.8 Wrong name or password")}


def test_A81_nobody_acts_for_another_account(submission: Submission) -> None:
    with submission.connect(login=False) as client:
        client.ehlo()
        assert plain(client, "joe", PASSWORD, "admin@here.example")[0] == 535
        assert plain(client, "joe", PASSWORD, "joe@here.example")[0] == 235


def test_a_suspended_account_is_told_so_once_it_has_proved_who_it_is(submission: Submission) -> None:
    with submission.connect(login=False) as client:
        client.ehlo()
        wrong = plain(client, "admin", "wrong")
        assert wrong == (535, b"5.7.8 Wrong name or password")
        right = plain(client, "admin", PASSWORD)
        assert right == (535, b"5.7.13 This account is suspended")


def test_an_account_suspended_meanwhile_sends_nothing_more(submission: Submission) -> None:
    sue = "sue@here.example"
    submission.give_password(sue, PASSWORD)
    with submission.connect(login=False) as client:
        client.login(sue, PASSWORD)
        client.sendmail(sue, ["u@here.example"], MESSAGE)
        submission.give_password(sue, PASSWORD, is_suspended=True)
        assert client.mail(sue) == (550, b"5.7.13 Your account is suspended")
    submission.take()


def test_the_limits_of_an_account_hold_over_sessions(submission: Submission) -> None:
    def send(*recipients: str) -> int:
        with submission.connect(login=False) as client:
            client.login("u@here.example", PASSWORD)
            client.mail("u@here.example")
            for recipient in recipients:
                client.rcpt(recipient)
            return client.data(MESSAGE)[0]

    assert send("joe@here.example", "Joe@here.example", "admin@here.example") == 250
    assert send("joe@here.example", "u@here.example") == 450  # one new recipient too many
    assert send("joe@here.example") == 250
    assert send("joe@here.example") == 450  # one message too many
    for account, count in (("joe@here.example", 2), ("Joe@here.example", 1), ("admin@here.example", 1)):
        submission.take(count, account)


def test_EXTERNAL_a_verified_certificate_names_the_account(submission: Submission) -> None:
    for client in (submission.connect(tls=False, login=False), submission.connect_tls(certify(ACCOUNT))):
        with client:
            if not isinstance(client, smtplib.SMTP_SSL):
                client.starttls(context=certify("else@else.example", ACCOUNT))
            client.ehlo()
            assert "EXTERNAL" in client.esmtp_features["auth"].split()
            assert external(client, "admin@here.example") == 535
            assert external(client, ACCOUNT) == 235
            client.sendmail("", ["u@here.example"], MESSAGE)
    for message in submission.take(2):
        assert b"\nFrom: joe@here.example\n" in message


@pytest.mark.parametrize("names", [(), ("joe.example",), ("nobody@here.example",), ("admin@here.example",)])
def test_EXTERNAL_other_certificates_let_nobody_in(submission: Submission, names: tuple[str, ...]) -> None:
    context = certify(*names) if names else make_client_context()
    with submission.connect_tls(context) as client:
        client.ehlo()
        offered = "EXTERNAL" in client.esmtp_features["auth"].split()
        assert offered is bool(names and "@" in names[0])
        assert external(client) == (535 if offered else 504)


def test_EXTERNAL_a_certificate_that_nobody_vouches_for_ends_the_connection(submission: Submission) -> None:
    with pytest.raises((ssl.SSLError, smtplib.SMTPServerDisconnected, ConnectionResetError)):
        submission.connect_tls(certify(ACCOUNT, authority=trustme.CA()))
    wait_until(lambda: "TLS failed" in submission.output(), "the failure to be told")


def test_L5_no_password_is_told_anywhere(submission: Submission) -> None:
    with submission.connect(login=False) as client:
        client.ehlo()
        secret = encode("\0joe\0betrayed")
        client.docmd("AUTH", f"PLAIN {secret}")
        client.docmd("AUTH", f"PLAIN {secret}?")
        client.docmd("AUTH PLAIN", secret[:-4])
        client.docmd(secret)
    told = [submission.output().encode()]
    told += [
        file.read_bytes() for file in (submission.folder / "data" / "journal").rglob("*") if file.is_file()
    ]
    for text in told:
        assert b"betrayed" not in text
        assert secret[:-4].encode() not in text


def test_L5_the_relay_does_not_know_how_to_read_secrets() -> None:
    told = "import sys, paperpath.relay.smtprd; print('paperpath.accounts.secrets' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_S7_failures_are_limited_before_anything_is_hashed(tmp_path: Path) -> None:
    submission = Submission(tmp_path)
    with submission.up():
        codes = []
        for _ in range(20):
            with submission.connect(login=False) as client:
                client.ehlo()
                codes.append(plain(client, "u", "guess")[0])
        assert codes[:3] == [535] * 3
        assert codes[-1] == 454
        with submission.connect_local() as client:  # another network
            client.login(ACCOUNT, PASSWORD)


def test_S7_who_is_known_there_gets_in_while_others_guess(tmp_path: Path) -> None:
    """bench.visits says how long it takes; here it is only seen that nobody is turned away for it."""
    submission = Submission(tmp_path)
    enough = threading.Event()
    told: list[int] = []

    def guess(number: int) -> None:
        while not enough.is_set():
            address = (f"127.0.1.{number}", 0)
            with smtplib.SMTP(
                "127.0.0.1", submission.submission_port, "guesser.example", 20, source_address=address
            ) as client:
                client.starttls(context=make_client_context())
                client.ehlo()
                told.append(plain(client, "joe", f"guess {number}")[0])

    with submission.up():
        submission.connect().quit()  # joe is known at 127.0.0.1
        guessers = [threading.Thread(target=guess, args=(number,)) for number in range(1, 21)]
        for guesser in guessers:
            guesser.start()
        try:
            for _ in range(10):
                with submission.connect() as client:
                    client.sendmail(ACCOUNT, ["u@here.example"], MESSAGE)
        finally:
            enough.set()
            for guesser in guessers:
                guesser.join()
        submission.take(10)
    assert set(told) <= {535, 454}
    assert told
