"""`paperpath dkim`: a key that signs after a reload, its file for the service's user, the record told."""

import base64
import json
import os
import pwd
import re
import stat
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from paperpath.commands.paperpath import main
from paperpath.config.loader import load_configuration
from paperpath.dkim.signing import MessageSigning
from paperpath.service.signing_keys import open_keyring
from tests.support.dkim import verify

TEXT = """\
# ours
hostname = "mx.here.example"

[relay]
listen = ["127.0.0.1:2525"]
domains = ["here.example"]

[post_office]
postmaster = "me@here.example"

[[post_office.route]]
domain = "here.example"
via = "local" # here
"""
KEY = '\n[[dkim.key]]\ndomain = "{0}"\nselector = "{1}"\nfile = "data/dkim/{1}._domainkey.{0}.pem"\n'
LINE = re.compile(r'(\S+)\. IN TXT \( ("[^"]+"(?: "[^"]+")*) \)')


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "paperpath.toml"
    made.write_text(TEXT)
    made.chmod(0o640)
    (tmp_path / "data").mkdir(mode=0o711)
    return made


def run(file: Path, name: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["dkim", name, "--config", str(file), *arguments])


def read_records(output: str) -> dict[str, str]:
    """Return the records that were printed, as a name server would serve them."""
    records = {}
    for name, strings in LINE.findall(output):
        texts = re.findall(r'"([^"]+)"', strings)
        assert max(map(len, texts)) <= 255
        records[name] = "".join(texts)
    return records


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_I1_I2_a_new_key_signs_and_its_record_verifies(file: Path, kind: str) -> None:
    made = run(file, "new", "here.example", "--selector", "S1", "--type", kind)
    assert made.exit_code == 0, made.output
    assert file.read_text() == TEXT + KEY.format("here.example", "s1")
    records = read_records(made.output)
    assert list(records) == ["s1._domainkey.here.example"]
    assert read_records(run(file, "show").output) == records
    signing = MessageSigning(open_keyring(load_configuration(file).dkim), 1_795_428_000)
    message = b"From: joe@here.example\r\n\r\nHello\r\n"
    signing.add(message)
    assert verify(signing.finish() + message, records) == [True]


def test_L4_a_key_is_for_its_owner_alone_and_the_configuration_keeps_its_mode(file: Path) -> None:
    assert run(file, "new", "here.example", "--type", "ed25519").exit_code == 0
    folder = file.parent / "data" / "dkim"
    (key,) = folder.iterdir()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, key, file)] == [0o700, 0o600, 0o640]


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root")
def test_L4_what_root_makes_below_the_data_folder_is_the_service_users(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So no link leads root elsewhere, and the programs can read it; the configuration stays root's."""
    monkeypatch.setattr("paperpath.service.privileges._check_code", lambda identity: None)
    nobody = pwd.getpwnam("nobody").pw_uid
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        file = file.rename(Path(folder) / "paperpath.toml")
        file.write_text(f'user = "nobody"\n{TEXT}')
        data = Path(folder) / "data"
        data.mkdir(mode=0o711)
        refused = run(file, "new", "here.example", "--type", "ed25519")
        assert (refused.exit_code, "belongs to root" in refused.output) == (os.EX_NOPERM, True)
        os.chown(data, nobody, -1)
        assert run(file, "new", "here.example", "--type", "ed25519").exit_code == 0
        (key,) = (data / "dkim").iterdir()
        assert [path.stat().st_uid for path in (key.parent, key, file)] == [nobody, nobody, 0]
        secret = Path(folder) / "secret"
        secret.mkdir(mode=0o700)
        key.unlink()
        key.parent.rmdir()
        key.parent.symlink_to(secret)
        file.write_text(f'user = "nobody"\n{TEXT}')
        assert run(file, "new", "here.example", "--type", "ed25519").exit_code == os.EX_CANTCREAT
        assert list(secret.iterdir()) == []


def test_keys_come_behind_each_other_and_are_shown_as_json(file: Path) -> None:
    file.write_text(TEXT + "\n# the end\n[tls]\n")
    for selector in ("a", "b"):
        assert (
            run(file, "new", "b\u00fccher.example", "--selector", selector, "--type", "ed25519").exit_code
            == 0
        )
    shown = json.loads(run(file, "show", "--json").output)
    assert [one["name"] for one in shown] == [
        "a._domainkey.xn--bcher-kva.example",
        "b._domainkey.xn--bcher-kva.example",
    ]
    assert all("".join(one["strings"]) == one["record"] and Path(one["file"]).exists() for one in shown)
    assert file.read_text().startswith(TEXT + "\n# the end\n[tls]\n\n[[dkim.key]]\n")


def test_keys_may_stand_in_an_array(file: Path) -> None:
    file.write_text(TEXT + "\n[dkim]\nkey = [] # none\n")
    assert run(file, "new", "here.example", "--selector", "a", "--type", "ed25519").exit_code == 0
    assert file.read_text().startswith(
        TEXT + '\n[dkim]\nkey = [{ domain = "here.example", selector = "a", file'
    )
    assert list(read_records(run(file, "show").output)) == ["a._domainkey.here.example"]


def test_the_size_of_an_rsa_key_can_be_chosen(file: Path) -> None:
    made = run(file, "new", "here.example", "--bits", "2560")
    (record,) = read_records(made.output).values()
    key = load_der_public_key(base64.b64decode(record.partition("p=")[2]))
    assert isinstance(key, RSAPublicKey)
    assert key.key_size == 2560


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("example",), os.EX_USAGE),
        (("a b.example",), os.EX_USAGE),
        (("here.example", "--selector", "a_b"), os.EX_USAGE),
        (("here.example", "--type", "ed25519", "--bits", "2048"), os.EX_USAGE),
        (("here.example", "--type", "dsa"), 2),
        (("here.example", "--bits", "1024"), 2),
    ],
)
def test_what_cannot_be_changes_nothing(file: Path, arguments: tuple[str, ...], code: int) -> None:
    assert run(file, "new", *arguments).exit_code == code
    assert file.read_text() == TEXT
    assert list((file.parent / "data").iterdir()) == []


def test_no_key_is_ever_overwritten(file: Path) -> None:
    arguments = ("here.example", "--selector", "a", "--type", "ed25519")
    assert run(file, "new", *arguments).exit_code == 0
    (key,) = (file.parent / "data" / "dkim").iterdir()
    octets = key.read_bytes()
    again = run(file, "new", *arguments)
    assert (again.exit_code, "has a key already" in again.output) == (os.EX_CANTCREAT, True)
    file.write_text(TEXT)
    again = run(file, "new", *arguments)
    assert (again.exit_code, "is there already" in again.output) == (os.EX_CANTCREAT, True)
    assert (key.read_bytes(), file.read_text()) == (octets, TEXT)


def test_a_key_that_came_into_no_use_goes_again(file: Path) -> None:
    (file.parent / "data" / "accounts").write_text("nonsense\n")
    refused = run(file, "new", "here.example", "--type", "ed25519")
    assert (refused.exit_code, "left as it was" in refused.output) == (os.EX_CONFIG, True)
    assert list((file.parent / "data" / "dkim").iterdir()) == []
    assert file.read_text() == TEXT


def test_where_the_layout_is_not_known_nothing_is_made(file: Path) -> None:
    file.write_text("dkim = {}\n" + TEXT)
    refused = run(file, "new", "here.example", "--type", "ed25519")
    assert (refused.exit_code, "by hand" in refused.output) == (os.EX_DATAERR, True)
    assert list((file.parent / "data").iterdir()) == []


def test_a_link_in_the_place_of_a_key_is_not_followed(file: Path, tmp_path: Path) -> None:
    (file.parent / "data" / "dkim").mkdir()
    (file.parent / "data" / "dkim" / "a._domainkey.here.example.pem").symlink_to(tmp_path / "elsewhere")
    refused = run(file, "new", "here.example", "--selector", "a", "--type", "ed25519")
    assert refused.exit_code == os.EX_CANTCREAT
    assert not (tmp_path / "elsewhere").exists()


def test_show_tells_of_keys_that_cannot_be_used_and_shows_the_others(file: Path) -> None:
    for selector in ("a", "b"):
        run(file, "new", "here.example", "--selector", selector, "--type", "ed25519")
    (file.parent / "data" / "dkim" / "a._domainkey.here.example.pem").unlink()
    shown = run(file, "show")
    assert (shown.exit_code, "cannot be read" in shown.output) == (os.EX_CONFIG, True)
    assert list(read_records(shown.output)) == ["b._domainkey.here.example"]


@pytest.mark.parametrize("name", ["new", "show"])
def test_every_command_has_help_with_an_example(name: str) -> None:
    assert "Example: paperpath dkim" in CliRunner().invoke(main, ["dkim", name, "--help"]).output
