"""What the quick commands read of the file is what the programs read of it."""

import tomllib
from pathlib import Path

import pytest

from paperpath.commands.exits import ExitError
from paperpath.commands.plain_configuration import DEFAULT_FILE, find_configuration, load_plain, parse_plain
from paperpath.config.endpoint import Endpoint, LocalSocket, Place
from paperpath.config.loader import ConfigurationError, parse_configuration
from paperpath.submission.doors import list_doors
from tests.unit.config.example import RIGHT

FILE = Path("/etc/paperpath/paperpath.toml")
FULL = f"""data = "/var/lib/paperpath"
{RIGHT}
aliases = "aliases"

[submission]
listen = ["127.0.0.1:587", "[::1]:587"]
own_senders = true

[canonical]
domain = "example.net"
parent = "example.com"
strict = false
hidden = ["a.example.net", ".b.example.net"]
shown = "c.example.net"
users = "masquerade"
encode_8bit = true

[drop]
size = "1 MiB"

[sendmail]
when_down = "drop"
"""


@pytest.mark.parametrize(
    "text",
    [
        RIGHT,
        FULL,
        f"{RIGHT}\n[submission]\n",
        f'{RIGHT}\n[submission]\nlisten = ["127.0.0.1:587"]\nlisten_local = false\n',
        f'{RIGHT}\n[sendmail]\nwhen_down = "fail"\n',
    ],
)
def test_the_models_and_the_commands_read_the_same(text: str) -> None:
    whole, plain = parse_configuration(text, FILE), parse_plain(tomllib.loads(text), FILE)
    assert plain.hostname == whole.hostname
    assert plain.data == whole.data
    assert plain.run_folder == whole.run_folder
    assert plain.drop_folder == whole.drop_folder
    assert plain.drop_octets == whole.drop.size
    assert plain.aliases == whole.post_office.aliases
    assert plain.drops_when_down == (whole.sendmail.when_down == "drop")
    assert set(plain.submission) <= {place for place, _ in list_doors(whole)}
    assert bool(plain.submission) == (whole.submission is not None)
    assert plain.binds_senders == (whole.submission is not None and whole.submission.own_senders)
    assert plain.canonical.domain == whole.default_domain
    assert plain.canonical.parent == (whole.canonical.parent or "")
    assert plain.canonical.is_strict == whole.canonical.strict
    assert plain.canonical.hidden == whole.canonical.hidden
    assert plain.canonical.shown == (whole.canonical.shown or whole.default_domain)
    assert plain.canonical.users == whole.canonical.users
    assert plain.canonical.encode_8bit == whole.canonical.encode_8bit


def test_users_of_this_host_go_to_their_socket_or_else_where_smtpsd_listens() -> None:
    def find(more: str) -> tuple[Place, ...]:
        return parse_plain(tomllib.loads(f"{RIGHT}\n[submission]\n{more}"), FILE).submission

    listen = 'listen = ["127.0.0.1:587", "[::1]:587"]\n'
    assert find(listen) == (LocalSocket(Path("/etc/paperpath/data/run/submission.sock")),)
    assert find(f"{listen}listen_local = false") == (Endpoint("127.0.0.1", 587), Endpoint("::1", 587))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('hostname = "mail.example.org"', "post_office.postmaster: it is missing"),
        (RIGHT.replace("mail.example.org", "mail"), "hostname: expected the full name"),
        (f"data = 5\n{RIGHT}", "data: expected a folder"),
        (f'{RIGHT}\n[sendmail]\nwhen_down = "explode"\n', 'sendmail.when_down: expected "fail" or "drop"'),
        (f'{RIGHT}\n[submission]\nlisten = "127.0.0.1:587"\n', "submission.listen: expected an array"),
        (f'{RIGHT}\n[submission]\nlisten = ["localhost:587"]\n', "submission.listen: expected"),
        (f'{RIGHT}\n[canonical]\nstrict = "no"\n', "canonical.strict: expected true or false"),
        (f"{RIGHT}\n[canonical]\nusers = 5\n", "canonical.users: expected a file"),
        ("a = = 5", "cannot be read: "),
    ],
)
def test_J12_what_is_wrong_is_said_with_its_key(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "paperpath.toml"
    file.write_text(text)
    with pytest.raises(ExitError, match=complaint) as caught:
        load_plain(file)
    assert caught.value.exit_code == 78
    with pytest.raises(ConfigurationError):
        parse_configuration(text, file)


def test_J12_a_file_that_is_not_there_or_anybodys_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "paperpath.toml"
    with pytest.raises(ExitError, match="No such file") as caught:
        load_plain(file)
    assert caught.value.exit_code == 78
    file.write_text(RIGHT)
    file.chmod(0o646)
    with pytest.raises(ExitError, match="every user"):
        load_plain(file)


def test_the_file_is_found_without_options() -> None:
    assert find_configuration({}) == DEFAULT_FILE
    assert find_configuration({"PAPERPATH_CONFIG": ""}) == DEFAULT_FILE
    assert find_configuration({"PAPERPATH_CONFIG": "/srv/mail.toml"}) == Path("/srv/mail.toml")
