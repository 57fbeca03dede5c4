"""Started by root: the supervisor opens a port that takes root, and the programs are somebody else."""

import json
import os
import pwd
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import paperpath
from tests.support.installation import Installation, program_path, wait_until
from tests.support.submission import Submission
from tests.support.tls import make_client_context, write_certificate
from tests.support.wire import Wire, stuffed

USER = "nobody"
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="takes root")]


def is_usable(interpreter: str | None) -> bool:
    """Tell whether the user can run Paperpath with an interpreter, which root's own may not let it."""
    if interpreter is None:
        return False
    probe = [interpreter, "-c", "import sys, paperpath.relay.smtprd; sys.exit(sys.version_info[:2] != V)"]
    probe[2] = probe[2].replace("V", str(sys.version_info[:2]))
    try:
        return subprocess.run(probe, user=USER, capture_output=True, check=False).returncode == 0
    except PermissionError:
        return False


@pytest.fixture
def interpreter(monkeypatch: pytest.MonkeyPatch) -> str:
    packages = [entry for entry in sys.path if entry.endswith("site-packages")]
    monkeypatch.setenv("PYTHONPATH", ":".join([str(Path(paperpath.__file__).parents[1]), *packages]))
    for candidate in (sys.executable, shutil.which("python3", path="/usr/bin:/usr/local/bin")):
        if is_usable(candidate):
            assert candidate is not None
            return candidate
    pytest.skip(f"there is no Python that {USER} can run")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder that every user can reach, which pytest's are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def installation(folder: Path, interpreter: str, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """Return an installation for the user, made with an interpreter that the user can run."""
    monkeypatch.setattr(
        "tests.support.installation.subprocess.run",
        lambda command, **options: RUN([interpreter, *command], **options),
    )
    accounts = ("u@here.example", "admin@here.example")
    installation = Installation(folder / "site", accounts=accounts, processes=2, user=USER)
    text = installation.file.read_text()
    installation.port = find_privileged_port()
    installation.file.write_text(re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{installation.port}", text))
    return installation


RUN = subprocess.run


def find_privileged_port() -> int:
    for port in range(1023, 512, -1):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("every privileged port is busy")


def status_of(pid: int) -> dict[str, list[str]]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.split() for name, _, value in (line.partition(":") for line in lines)}


def deliver(installation: Installation, count: int) -> None:
    with Wire(installation.port) as wire:
        wire.open_transaction()
        wire.send(stuffed(b"Subject: dropped\r\n"))
        assert wire.reply().startswith(b"250 ")
    installation.wait_for_deliveries(count)


def try_itself(installation: Installation, interpreter: str) -> None:
    """Run the self-test as root; what lies under the tests, memory perhaps, is not theirs to choose."""
    command = [
        interpreter,
        program_path("paperpath"),
        "selftest",
        "--json",
        "--config",
        str(installation.file),
    ]
    done = RUN(command, check=False, capture_output=True, text=True)
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert len(found.pop("durability")) == 3
    wrong = [one for ones in found.values() for one in ones if one["verdict"] in ("fault", "not tried")]
    assert wrong == []


def test_L3_L5_programs_drop_to_the_user_and_everything_is_theirs(
    installation: Installation, interpreter: str
) -> None:
    nobody = pwd.getpwnam(USER)
    installation.file.chmod(0o600)  # root's alone: the programs get the text
    with installation.up(launcher=[interpreter]) as supervisor:
        assert status_of(supervisor.pid)["Uid"] == ["0"] * 4
        pids = [pid for name in ("smtpld", "smtppd", "smtprcd", "smtprd") for pid in installation.pids(name)]
        assert len(pids) == 5
        for pid in pids:
            status = status_of(pid)
            assert status["Uid"] == [str(nobody.pw_uid)] * 4
            assert status["Gid"] == [str(nobody.pw_gid)] * 4
            assert status["Groups"] == [str(group) for group in os.getgrouplist(USER, nobody.pw_gid)]
            assert status["NoNewPrivs"] == ["1"]
            assert status["CapEff"] == status["CapPrm"] == ["0" * 16]
        deliver(installation, 1)
        for pid in installation.pids("smtprd"):
            os.kill(pid, signal.SIGKILL)
        deliver(installation, 2)
        installation.run("account", "add", "--config", str(installation.file), "late@here.example")
        installation.run("reload", "--config", str(installation.file))
        installation.run("status", "--config", str(installation.file))
        with Wire(installation.port) as wire:
            wire.open_transaction(b"anyone@backup.example")
            wire.send(b"x\r\n.\r\n")
            assert wire.reply().startswith(b"250 ")
        try_itself(installation, interpreter)
    installation.run("queue", "hold", "--all", "--json", "--config", str(installation.file))
    data = installation.folder / "data"
    owners = {path: path.lstat().st_uid for path in [data, *data.rglob("*")]}
    assert {path: owner for path, owner in owners.items() if owner != nobody.pw_uid} == {}
    assert installation.folder.stat().st_uid == installation.file.stat().st_uid == 0


def test_L5_secrets_are_the_users_alone_and_the_configuration_stays_roots(
    installation: Installation, interpreter: str
) -> None:
    before = installation.file.stat()
    command = [interpreter, program_path("paperpath"), "account", "password", "u@here.example"]
    RUN([*command, "--config", str(installation.file)], input=b"open sesame\n", check=True)
    secrets = (installation.folder / "data" / "secrets").stat()
    assert (secrets.st_uid, secrets.st_mode & 0o777) == (pwd.getpwnam(USER).pw_uid, 0o600)
    installation.run("domain", "add", "new.example", "--config", str(installation.file))
    after = installation.file.stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    assert "new.example" in installation.file.read_text()


def test_a_program_alone_opens_its_port_and_drops(installation: Installation, interpreter: str) -> None:
    with installation.start("smtprd", launcher=[interpreter]) as process:
        wait_until(lambda: " info ready " in installation.output(), "smtprd to be ready")
        assert status_of(process.pid)["Uid"] == [str(pwd.getpwnam(USER).pw_uid)] * 4
        with Wire(installation.port) as wire:
            assert wire.reply().startswith(b"220 ")


def test_data_of_somebody_else_is_refused(installation: Installation) -> None:
    os.chown(installation.folder / "data", 0, 0)
    done = subprocess.run(
        [program_path("paperpath"), "up", "--config", str(installation.file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == os.EX_CONFIG
    assert f"data does not belong to {USER}; run: chown -R {USER}: " in done.stderr


def test_without_a_user_root_runs_them_and_is_warned(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    with installation.up():
        assert installation.output().count("warning runs as root") == 1


def use_certificate(installation: Installation) -> tuple[Path, Path]:
    """Configure a certificate whose key is root's own."""
    chain, key = write_certificate(installation.folder, "mx.here.example")
    chain.chmod(0o644)
    assert key.stat().st_mode & 0o777 == 0o600
    with installation.file.open("a") as file:
        file.write(f'\n[[tls.certificate]]\nchain = "{chain}"\nkey = "{key}"\n')
    return chain, key


def start_tls(installation: Installation) -> tuple[smtplib.SMTP, bytes]:
    """Return an encrypted session, and the certificate it got."""
    client = smtplib.SMTP("127.0.0.1", installation.port)
    client.starttls(context=make_client_context())
    assert isinstance(client.sock, ssl.SSLSocket)
    return client, client.sock.getpeercert(binary_form=True) or b""


def test_a_key_that_only_root_may_read_serves_the_user(installation: Installation, interpreter: str) -> None:
    _, key = use_certificate(installation)
    with installation.up(launcher=[interpreter]):
        client, _ = start_tls(installation)
        with client:
            assert client.ehlo()[0] == 250
    assert key.stat().st_uid == 0


@pytest.mark.parametrize("way", ["command", "signal"])
def test_A70_a_key_that_only_root_may_read_is_renewed_while_the_programs_run(
    installation: Installation, interpreter: str, way: str
) -> None:
    def reload() -> int:
        told = installation.output().count("paperpath info reloaded") + installation.output().count("refused")
        if way == "command":
            line = [interpreter, program_path("paperpath"), "reload", "--config", str(installation.file)]
            return RUN(line, capture_output=True, check=False).returncode
        supervisor.send_signal(signal.SIGHUP)
        wait_until(
            lambda: (
                installation.output().count("paperpath info reloaded")
                + installation.output().count("refused")
                > told
            ),
            "the reload",
        )
        return os.EX_CONFIG if "refused" in installation.output() else 0

    _, key = use_certificate(installation)
    with installation.up(launcher=[interpreter]) as supervisor:
        old, first = start_tls(installation)
        write_certificate(installation.folder, "mx.here.example")
        assert reload() == 0
        second = {certificate_of(installation) for _ in range(10)}
        assert len(second) == 1  # whichever process it was
        assert first not in second
        with old:
            assert old.ehlo()[0] == 250

        good = key.read_bytes()
        key.write_text("nonsense")
        assert reload() == os.EX_CONFIG
        wait_until(lambda: "configuration refused" in installation.output(), "the refusal in the log")
        assert f"{key}: expected a private key in PEM form" in installation.output()
        assert {certificate_of(installation) for _ in range(10)} == second
        key.write_bytes(good)
        for pid in installation.pids("smtprd"):
            os.kill(pid, signal.SIGKILL)
        assert certificate_of(installation) in second
    assert key.stat().st_uid == 0


def test_a_program_alone_is_handed_renewed_keys_by_root(installation: Installation, interpreter: str) -> None:
    use_certificate(installation)
    with installation.start("smtprd", launcher=[interpreter]):
        wait_until(lambda: " info ready " in installation.output(), "smtprd to be ready")
        first = certificate_of(installation)
        write_certificate(installation.folder, "mx.here.example")
        installation.run("reload", "--config", str(installation.file))
        assert certificate_of(installation) != first


def certificate_of(installation: Installation) -> bytes:
    client, certificate = start_tls(installation)
    client.close()
    return certificate


def test_X8_L3_the_local_socket_is_the_users_and_tells_who_hands_in(
    folder: Path, interpreter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "tests.support.installation.subprocess.run",
        lambda command, **options: RUN([interpreter, *command], **options),
    )
    submission = Submission(folder / "site", user=USER)
    mail = pwd.getpwnam("mail")
    told = f"""
import smtplib, socket
client = smtplib.SMTP(local_hostname="client.example")
client._get_socket = lambda *_: client.local
client.local = socket.socket(socket.AF_UNIX)
client.local.connect({str(submission.socket)!r})
client.connect("localhost")
client.sendmail("", ["u@here.example"], "Subject: local\\r\\n\\r\\n")
"""
    with submission.up(launcher=[interpreter]):
        assert submission.socket.stat().st_uid == pwd.getpwnam(USER).pw_uid
        done = RUN(
            [interpreter, "-c", told], user=mail.pw_uid, group=mail.pw_gid, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
        (message,) = submission.take()
    assert f"(Paperpath, from user mail, uid {mail.pw_uid})".encode() in message
    assert b"\nFrom: mail@here.example\n" in message


def test_L12_tcpsrun_opens_a_port_as_root_and_is_the_user_then(interpreter: str, folder: Path) -> None:
    port, said = find_privileged_port(), folder / "said"
    command = [interpreter, program_path("tcpsrun"), "-u", USER, "-g", "daemon", "127.0.0.1", str(port), "id"]
    with said.open("wb") as file:
        process = subprocess.Popen(command, stderr=file)
    try:
        wait_until(
            lambda: "listening on" in said.read_text() or process.poll() is not None, "tcpsrun to listen"
        )
        assert process.poll() is None, said.read_text()
        assert Path(f"/proc/{process.pid}").stat().st_uid == pwd.getpwnam(USER).pw_uid
        with Wire(port) as wire:
            assert f"({USER}) gid=1(daemon) groups=1(daemon)" in wire.read_all().decode()
    finally:
        process.terminate()
        assert process.wait() == 0


# The host of these programs has one user more.
_ONE_MORE = """
import pwd

_getpwnam = pwd.getpwnam

def getpwnam(name):
    if name == "maria":
        return pwd.struct_passwd(("maria", "x", {uid}, {uid}, "", {home!r}, "/bin/sh"))
    return _getpwnam(name)

pwd.getpwnam = getpwnam
"""
MARIA = 54_321


@pytest.fixture
def home(folder: Path, interpreter: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the home of a user who has no account on this machine, but for all our programs is there."""
    home, more = folder / "maria", folder / "more"
    home.mkdir(mode=0o700)
    os.chown(home, MARIA, MARIA)
    more.mkdir()
    (more / "sitecustomize.py").write_text(_ONE_MORE.format(uid=MARIA, home=str(home)))
    monkeypatch.setenv("PYTHONPATH", f"{more}:{os.environ['PYTHONPATH']}")
    return home


def let_users_in(installation: Installation) -> None:
    text = installation.file.read_text()
    installation.file.write_text(f"{text}\n[local]\nsystem_users = true\ncreate = true\n")


def test_F4_L3_users_of_the_host_get_their_mail_and_only_the_helper_is_root(
    installation: Installation, interpreter: str, home: Path
) -> None:
    let_users_in(installation)

    def send(*addresses: str) -> None:
        with smtplib.SMTP("127.0.0.1", installation.port) as client:
            client.sendmail("ann@else.example", addresses, "Subject: local\r\n\r\n")

    def arrived() -> list[Path]:
        return sorted(home.glob("Maildir/new/*"))

    with installation.up(launcher=[interpreter]):
        (helper,) = installation.pids("smtplud")
        assert status_of(helper)["Uid"] == ["0"] * 4
        assert status_of(helper)["NoNewPrivs"] == ["1"]
        uids = {
            name: status_of(installation.pids(name)[0])["Uid"][0] for name in ("smtpld", "smtppd", "smtprd")
        }
        assert set(uids.values()) == {str(pwd.getpwnam(USER).pw_uid)}
        send("maria@here.example", "MARIA+list@here.example", "u@here.example")
        wait_until(lambda: len(arrived()) == 2, "mail in the home")
        installation.wait_for_deliveries(1)
        assert {
            (file.stat().st_uid, file.stat().st_gid, file.stat().st_mode & 0o777) for file in arrived()
        } == {(MARIA, MARIA, 0o600)}
        assert {file.read_bytes().splitlines()[1] for file in arrived()} == {
            b"Delivered-To: maria@here.example",
            b"Delivered-To: MARIA+list@here.example",
        }
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            send("root@here.example")
        told = installation.run("explain", "rcpt", "--config", str(installation.file), "maria@here.example")
        assert f"user       maria@here.example: 'maria, uid {MARIA}'\n  decision   local user:maria" in told
        os.kill(helper, signal.SIGKILL)
        wait_until(lambda: installation.pids("smtplud") not in ([], [helper]), "another helper")
        send("maria@here.example")
        wait_until(lambda: len(arrived()) == 3, "mail by the other helper")
        (home / "Maildir").rename(home / "moved")
        (home / "Maildir").symlink_to("/etc")
        send("maria@here.example")
        wait_until(lambda: "Not a directory" in installation.output(), "the link to be refused")
    data = installation.folder / "data"
    assert {path.lstat().st_uid for path in [data, *data.rglob("*")]} == {pwd.getpwnam(USER).pw_uid}
