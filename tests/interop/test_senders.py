"""Real senders of other projects deliver through all programs."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.support.installation import Installation, content_of
from tests.support.peers import find_peer

pytestmark = [pytest.mark.interop, pytest.mark.slow]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installation = Installation(
        tmp_path_factory.mktemp("interop"),
        accounts=("u@here.example", "joe@here.example", "ann@here.example"),
    )
    with installation.up():
        yield installation


def test_swaks_delivers(installation: Installation) -> None:
    options = ["--server", "127.0.0.1", "--port", str(installation.port), "--ehlo", "swaks.example"]
    options += ["--from", "swaks@else.example", "--to", "u@here.example", "--header", "Subject: from swaks"]
    options += ["--body", "first line\n.second line begins with a dot\n"]
    command = [find_peer("swaks"), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "250 2.0.0 Taken as" in done.stdout
    (file,) = installation.wait_for_deliveries(1)
    content = content_of(file.read_bytes())
    assert b"Subject: from swaks\r\n" in content
    assert content.endswith(b"first line\r\n.second line begins with a dot\r\n\r\n\r\n")
    assert file.read_bytes().split(b"\n")[2] == b"Received: from swaks.example ([127.0.0.1])"


def test_A70_swaks_delivers_over_tls(installation: Installation) -> None:
    before = len(installation.delivered("ann@here.example"))
    options = ["--server", "127.0.0.1", "--port", str(installation.port), "--ehlo", "swaks.example", "--tls"]
    options += ["--from", "swaks@else.example", "--to", "ann@here.example"]
    done = subprocess.run([find_peer("swaks"), *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "TLS started with cipher" in done.stdout
    files = installation.wait_for_deliveries(before + 1, "ann@here.example")
    assert any(b"with ESMTPS id" in file.read_bytes() for file in files)


def test_A70_openssl_starts_tls(installation: Installation) -> None:
    command = [find_peer("openssl"), "s_client", "-starttls", "smtp", "-crlf", "-quiet"]
    done = subprocess.run(
        [*command, "-connect", f"127.0.0.1:{installation.port}"],
        input=b"QUIT\n",
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert b"221 2.0.0" in done.stdout, done.stderr


@pytest.mark.parametrize("kept", [True, False], ids=["kept connections", "a connection each"])
def test_smtp_source_delivers(installation: Installation, kept: bool) -> None:
    before = len(installation.delivered("joe@here.example"))
    command = [find_peer("smtp-source"), "-s", "10", "-m", "300", "-l", "4096", "-f", "a@else.example"]
    command += ["-t", "joe@here.example", *(["-d"] if kept else []), f"127.0.0.1:{installation.port}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    files = installation.wait_for_deliveries(before + 300, "joe@here.example")
    assert len(files) == before + 300
    assert all(len(content_of(file.read_bytes())) >= 4096 for file in files)
