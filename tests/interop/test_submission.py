"""Programs that people send with hand in mail, over STARTTLS and over TLS from the start."""

import os
import smtplib
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.peers import find_peer, skip_or_fail
from tests.support.submission import ACCOUNT, PASSWORD, Submission
from tests.support.tls import AUTHORITY, write_certificate

pytestmark = [pytest.mark.interop, pytest.mark.slow]

WAYS = ["starttls", "tls"]
HOST = "localhost"  # for the certificate that they verify


@pytest.fixture(scope="module")
def submission(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Submission]:
    folder = tmp_path_factory.mktemp("submission")
    chain, key = write_certificate(folder, HOST)
    AUTHORITY.cert_pem.write_to_path(str(folder / "authority.pem"))
    certificate = f'[[tls.certificate]]\nchain = "{chain}"\nkey = "{key}"\n'
    submission = Submission(folder, more=certificate)
    with submission.up():
        yield submission


@pytest.fixture
def home(submission: Submission, tmp_path: Path) -> Path:
    """Return an empty home, so that nobody's own settings count."""
    return tmp_path


def port(submission: Submission, way: str) -> int:
    return submission.tls_port if way == "tls" else submission.submission_port


def run(command: Sequence[str], home: Path, text: str = "", **variables: str) -> str:
    """Run a program to its end, which has to be a good one; return what it said."""
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **variables}
    done = subprocess.run(
        command,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=60,
        cwd=home,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def take(submission: Submission, subject: str) -> str:
    """Take the one message that came; see that it has what every message must have (B-10 to B-12)."""
    (message,) = submission.take()
    header, _, body = message.decode().partition("\n\n")
    assert f"\nSubject: {subject}" in header, header
    for name in ("Date", "From", "Message-ID"):
        assert header.lower().count(f"\n{name.lower()}: ") == 1, header
    assert " with ESMTPSA id " in header, header
    assert "Hello" in body
    return header


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_swaks_logs_in(submission: Submission, home: Path, way: str, mechanism: str) -> None:
    command = [find_peer("swaks"), "--server", HOST, "--port", str(port(submission, way))]
    command += ["--tls-on-connect" if way == "tls" else "--tls", "--auth", mechanism]
    command += ["--auth-user", ACCOUNT, "--auth-password", PASSWORD, "--ehlo", "swaks.example"]
    command += ["--from", ACCOUNT, "--to", "u@here.example", "--body", "Hello"]
    said = run([*command, "--header", f"Subject: swaks {mechanism}"], home)
    assert "235 2.7.0" in said
    take(submission, f"swaks {mechanism}")


@pytest.mark.parametrize("mechanism", ["CRAM-MD5", "CRAM-SHA1", "DIGEST-MD5", "NTLM"])
def test_what_else_swaks_knows_is_not_offered(submission: Submission, home: Path, mechanism: str) -> None:
    command = [find_peer("swaks"), "--server", HOST, "--port", str(submission.submission_port), "--tls"]
    command += [
        "--auth",
        mechanism,
        "--auth-user",
        ACCOUNT,
        "--auth-password",
        PASSWORD,
        "--to",
        "u@here.example",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 28, done.stdout  # swaks' own: cannot authenticate
    assert PASSWORD not in submission.output()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mechanism", ["plain", "login", "scram-sha-256", "on"])
def test_msmtp_logs_in(submission: Submission, home: Path, way: str, mechanism: str) -> None:
    if mechanism == "scram-sha-256" and "scram-sha-256" not in run([find_peer("msmtp"), "--version"], home):
        skip_or_fail("msmtp was built without SCRAM-SHA-256")
    settings = home / ".msmtprc"
    settings.write_text(
        f"account default\nhost {HOST}\nport {port(submission, way)}\nfrom {ACCOUNT}\nuser {ACCOUNT}\n"
        f'password "{PASSWORD}"\nauth {mechanism}\ntls on\ntls_starttls {"off" if way == "tls" else "on"}\n'
        f"tls_trust_file {submission.folder / 'authority.pem'}\n"
    )
    settings.chmod(0o600)
    run([find_peer("msmtp"), "u@here.example"], home, f"Subject: msmtp {mechanism}\n\nHello\n")
    take(submission, f"msmtp {mechanism}")


@pytest.mark.parametrize("way", WAYS)
def test_smtplib_logs_in(submission: Submission, way: str) -> None:
    client: smtplib.SMTP = submission.connect_tls() if way == "tls" else submission.connect(login=False)
    with client:
        client.login(ACCOUNT, PASSWORD)
        client.sendmail(ACCOUNT, ["u@here.example"], "Subject: smtplib\r\n\r\nHello\r\n")
    take(submission, "smtplib")


@pytest.mark.parametrize("way", WAYS)
def test_s_nail_logs_in(submission: Submission, home: Path, way: str) -> None:
    scheme = "smtps" if way == "tls" else "smtp"
    user, password = ACCOUNT.replace("@", "%40"), PASSWORD.replace(" ", "%20")
    settings = home / ".mailrc"
    settings.write_text(
        f"set v15-compat from={ACCOUNT} smtp-auth=plain\n"
        f"set mta={scheme}://{user}:{password}@{HOST}:{port(submission, way)}\n"
        + ("" if way == "tls" else "set smtp-use-starttls\n")
        + f"set tls-ca-file={submission.folder / 'authority.pem'} tls-verify=strict sendwait\n"
    )
    settings.chmod(0o600)
    run([find_peer("s-nail"), "-s", "s-nail", "u@here.example"], home, "Hello\n", MAILRC=str(settings))
    take(submission, "s-nail")


@pytest.mark.parametrize("way", WAYS)
def test_mutt_logs_in(submission: Submission, home: Path, way: str) -> None:
    scheme = "smtps" if way == "tls" else "smtp"
    settings = home / "muttrc"
    settings.write_text(
        f'set smtp_url="{scheme}://{ACCOUNT}@{HOST}:{port(submission, way)}" smtp_pass="{PASSWORD}"\n'
        f'set from="{ACCOUNT}" realname="Joe" ssl_starttls=yes ssl_force_tls=yes copy=no\n'
        f'set ssl_usesystemcerts=no certificate_file="{submission.folder / "authority.pem"}"\n'
        f'set ssl_ca_certificates_file="{submission.folder / "authority.pem"}" smtp_authenticators="plain"\n'
    )
    run([find_peer("mutt"), "-F", str(settings), "-s", "mutt", "u@here.example"], home, "Hello\n")
    assert "From: Joe <joe@here.example>" in take(submission, "mutt")


@pytest.mark.parametrize("way", WAYS)
def test_git_send_email_logs_in(submission: Submission, home: Path, way: str) -> None:
    git = find_peer("git")
    if not (Path(run([git, "--exec-path"], home).strip()) / "git-send-email").exists():
        skip_or_fail("git send-email is not installed")
    patch = home / "0001.patch"
    patch.write_text(f"From: {ACCOUNT}\nSubject: git\n\nHello\n")
    command = [git, "-c", "user.name=Joe", "-c", f"user.email={ACCOUNT}", "send-email", "--confirm=never"]
    command += ["--smtp-server", HOST, "--smtp-server-port", str(port(submission, way)), "--quiet"]
    command += ["--smtp-encryption", "ssl" if way == "tls" else "tls", "--smtp-user", ACCOUNT]
    command += ["--smtp-pass", PASSWORD, "--smtp-ssl-cert-path", str(submission.folder / "authority.pem")]
    run([*command, "--from", ACCOUNT, "--to", "u@here.example", str(patch)], home)
    take(submission, "git")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "*"])
def test_curl_logs_in(submission: Submission, home: Path, way: str, mechanism: str) -> None:
    scheme = "smtps" if way == "tls" else "smtp"
    message = home / "message"
    message.write_text("Subject: curl\r\n\r\nHello\r\n")
    command = [find_peer("curl"), "--silent", "--show-error", "--ssl-reqd", "--upload-file", str(message)]
    command += ["--url", f"{scheme}://{HOST}:{port(submission, way)}/client.example"]
    command += ["--cacert", str(submission.folder / "authority.pem"), "--user", f"{ACCOUNT}:{PASSWORD}"]
    command += [
        "--mail-from",
        ACCOUNT,
        "--mail-rcpt",
        "u@here.example",
        "--login-options",
        f"AUTH={mechanism}",
    ]
    run(command, home)
    take(submission, "curl")
