"""Mail programs of other projects work on mailboxes by imapd, in both directions (requirement K-30)."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.imap import Imap
from tests.support.peers import find_peer
from tests.support.submission import ACCOUNT, PASSWORD

pytestmark = [pytest.mark.interop, pytest.mark.slow]

MESSAGE = (
    b"From: Ann <ann@else.example>\r\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello,\r\n.\r\n\xc3\xa4 \r\n--b--\r\n"
)
MBSYNC = """\
IMAPStore far
Host 127.0.0.1
Port {port}
User {user}
Pass "{password}"
SSLType IMAPS
CertificateFile {certificate}

MaildirStore near
Path {folder}/
Inbox {folder}/INBOX
SubFolders Verbatim

Channel both
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
"""


@pytest.fixture(scope="module")
def imap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imap]:
    installation = Imap(tmp_path_factory.mktemp("imap"))
    with installation.up():
        yield installation


def run(*command: str | Path, given: bytes | None = None) -> bytes:
    done = subprocess.run([*map(str, command)], input=given, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


def test_K30_curl_appends_lists_searches_and_fetches(imap: Imap, tmp_path: Path) -> None:
    (tmp_path / "message").write_bytes(MESSAGE)
    url = f"imaps://127.0.0.1:{imap.imaps_port}"
    curl = [find_peer("curl"), "--silent", "--show-error", "--insecure", "--user", f"{ACCOUNT}:{PASSWORD}"]
    run(*curl, f"{url}/", "--request", "CREATE Curled")
    run(*curl, f"{url}/Curled", "--upload-file", tmp_path / "message")
    assert b'"Curled"' in run(*curl, f"{url}/")
    assert run(*curl, f"{url}/Curled?SUBJECT%20first").split() == [b"*", b"SEARCH"]
    assert run(*curl, f"{url}/Curled?ALL").split() == [b"*", b"SEARCH", b"1"]
    assert run(*curl, f"{url}/Curled;UID=1") == MESSAGE
    assert run(*curl, f"{url}/Curled;UID=1;SECTION=1") == b"Hello,\r\n.\r\n\xc3\xa4 "


def test_K30_mbsync_keeps_two_sides_equal(imap: Imap, tmp_path: Path) -> None:
    certificate = imap.folder / "data" / "tls" / "self-signed.pem"
    (tmp_path / "mbsyncrc").write_text(
        MBSYNC.format(
            port=imap.imaps_port, user=ACCOUNT, password=PASSWORD, certificate=certificate, folder=tmp_path
        )
    )
    sync = [find_peer("mbsync"), "--config", str(tmp_path / "mbsyncrc"), "--all"]
    client = imap.read()
    client.append("INBOX", r"(\Flagged)", "", MESSAGE)
    client.create("Near")
    run(*sync)
    (file,) = _files(tmp_path / "INBOX")
    assert file.name.endswith(":2,F")
    assert _as_sent(file.read_bytes()) == MESSAGE
    # What happens here comes there: a message, flags, one that is removed.
    (tmp_path / "Near" / "cur" / "1.1_1.here:2,S").write_bytes(MESSAGE.replace(b"\r\n", b"\n"))
    file.rename(file.with_name(file.name.removesuffix("F") + "FRS"))
    run(*sync)
    client.select("Near")
    ((facts, octets), _) = client.fetch("1", "(FLAGS BODY.PEEK[])")[1]
    assert _as_sent(octets) == MESSAGE
    assert rb"\Seen" in facts
    client.select("INBOX")
    assert rb"\Answered" in client.fetch("1", "(FLAGS)")[1][0]
    # What happens there comes here.
    client.uid("MOVE", "1:*", "Near")
    run(*sync)
    assert not _files(tmp_path / "INBOX")
    assert len(_files(tmp_path / "Near")) == 2
    client.logout()


def _files(folder: Path) -> list[Path]:
    return [file for part in ("cur", "new") for file in (folder / part).iterdir()]


def _as_sent(octets: bytes) -> bytes:
    """Return a message as it came, without what mbsync adds to find it again."""
    lines = octets.replace(b"\r\n", b"\n").split(b"\n")
    return b"\r\n".join(line for line in lines if not line.startswith(b"X-TUID: "))
