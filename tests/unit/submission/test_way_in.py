"""Who has service of smtpsd, and what becomes of the addresses that they name (B-2, B-3, B-5, B-9)."""

import os
import pwd
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from paperpath.accounts.file import AccountsFile
from paperpath.accounts.secrets import Secret, SecretsFile, change_secret
from paperpath.accounts.usage import Usage
from paperpath.accounts.verifier import Verifier
from paperpath.config.tables import Configuration
from paperpath.intake.access import ServiceClass
from paperpath.intake.budget import SpoolBudget
from paperpath.intake.guest import Guest
from paperpath.mail.address import Mailbox, parse_mailbox
from paperpath.maildrop.memory import MemoryMaildrop, MemoryStore
from paperpath.routing.files import RoutingFiles
from paperpath.service.log import open_log
from paperpath.submission.doors import list_doors
from paperpath.submission.reception import Site
from paperpath.submission.rules import make_rules
from paperpath.submission.way_in import SubmissionWayIn
from tests.unit.config.example import configure

JOE = parse_mailbox("joe@here.example")
TEXT = """
hostname = "mx.here.example"
data = "{data}"

[relay]
listen = ["127.0.0.1:2525"]

[post_office]
postmaster = "admin@here.example"

[[post_office.route]]
domain = "here.example"
via = "local"

[[post_office.route]]
domain = "closed.example"
via = "refuse"

[canonical]
parent = "here.example"

[submission]
access = [{{ clients = ["192.0.2.0/24"], service = "privileged" }}]
"""


class Setting:
    """A way in by a configuration, and the verifier behind it."""

    def __init__(self, folder: Path, verifier: Verifier, more: str = "") -> None:
        self.configuration: Configuration = configure(TEXT.format(data=folder) + more)
        self.verifier = verifier
        files = RoutingFiles(self.configuration)
        site = Site(
            MemoryMaildrop(MemoryStore()),
            SpoolBudget(0),
            Usage(folder),
            make_rules(self.configuration, files),
            folder,
            hides_clients=False,
        )
        assert self.configuration.submission is not None
        self.way_in = SubmissionWayIn(self.configuration.submission, site, files, verifier, open_log("test"))

    def judge_sender(self, sender: Mailbox | None, guest: Guest) -> str:
        reply, completed = self.way_in.judge_sender(sender, guest)
        return str(completed) if reply.is_positive else f"{reply.code} {reply.status}"

    def judge_recipient(self, recipient: Mailbox) -> str:
        reply, completed = self.way_in.judge_recipient(recipient, Guest("", account=JOE))
        return str(completed) if reply.is_positive else f"{reply.code} {reply.status}"


@pytest.fixture
def verifier(tmp_path: Path) -> Iterator[Verifier]:
    (tmp_path / "accounts").write_text("joe@here.example\there.example/joe\n")
    change_secret(tmp_path / "secrets", JOE, lambda secret: secret)
    with closing(
        Verifier(SecretsFile(tmp_path / "secrets"), AccountsFile(tmp_path / "accounts"))
    ) as verifier:
        yield verifier


@pytest.fixture
def setting(tmp_path: Path, verifier: Verifier) -> Setting:
    return Setting(tmp_path, verifier)


def test_X8_B2_who_is_admitted_without_a_login(setting: Setting) -> None:
    named = setting.way_in.welcome("192.0.2.7", None)
    assert (named.service, named.is_admitted) == (ServiceClass.PRIVILEGED, True)
    assert not setting.way_in.welcome("198.51.100.1", None).is_admitted
    assert not setting.way_in.welcome("", None).is_admitted  # a local user who is gone already
    local = setting.way_in.welcome("", os.getuid())
    assert local.is_admitted
    assert local.login == local.user == pwd.getpwuid(os.getuid()).pw_name
    nameless = setting.way_in.welcome("", 4_000_000_000)
    assert (nameless.is_admitted, nameless.login, nameless.user) == (True, "", "uid 4000000000")


def test_clients_are_told_apart_by_address_or_by_user(setting: Setting) -> None:
    assert setting.way_in.welcome("192.0.2.7", None).key == "192.0.2.7"
    assert setting.way_in.welcome("", 1000).key == "uid 1000"


@pytest.mark.parametrize(
    ("sender", "outcome"),
    [
        (Mailbox("joe", "here.example"), "joe@here.example"),
        (Mailbox("anyone", "else.example"), "anyone@else.example"),
        (Mailbox("joe", ""), "joe@here.example"),
        (Mailbox("joe", "sales"), "joe@sales.here.example"),
        (Mailbox("joe", "here.example."), "joe@here.example"),
        (None, "None"),
    ],
)
def test_B3_B5_B9_any_sender_is_taken_and_completed(
    setting: Setting, sender: Mailbox | None, outcome: str
) -> None:
    assert setting.judge_sender(sender, Guest("", account=JOE)) == outcome


@pytest.mark.parametrize(
    ("recipient", "outcome"),
    [
        (Mailbox("joe", ""), "joe@here.example"),
        (Mailbox("x", "else.example"), "x@else.example"),
        (Mailbox("x", "else.example."), "x@else.example"),
        (Mailbox("joe", "sales"), "joe@sales.here.example"),
        (Mailbox("nobody", ""), "550 5.1.1"),
        (Mailbox("x", "closed.example"), "550 5.7.1"),
        (Mailbox("Postmaster", ""), "Postmaster"),
    ],
)
def test_B3_B9_recipients_are_completed_and_those_nobody_takes_are_refused(
    setting: Setting, recipient: Mailbox, outcome: str
) -> None:
    assert setting.judge_recipient(recipient) == outcome


@pytest.mark.parametrize(
    ("sender", "outcome"),
    [
        ("joe@here.example", "joe@here.example"),
        ("JOE@HERE.example", "JOE@HERE.example"),
        ("u@here.example", "550 5.7.1"),
        ("joe@else.example", "550 5.7.1"),
    ],
)
def test_B3_senders_may_be_bound_to_their_accounts(
    tmp_path: Path, verifier: Verifier, sender: str, outcome: str
) -> None:
    setting = Setting(tmp_path, verifier, "own_senders = true\n")
    assert setting.judge_sender(parse_mailbox(sender), Guest("192.0.2.1", account=JOE)) == outcome
    assert setting.judge_sender(parse_mailbox(sender), Guest("", uid=1, login="joe")) == outcome
    assert setting.judge_sender(None, Guest("192.0.2.1", account=JOE)) == "None"
    privileged = Guest("192.0.2.1", ServiceClass.PRIVILEGED)
    assert setting.judge_sender(parse_mailbox(sender), privileged) == sender


@pytest.mark.parametrize(
    ("sender", "outcome"),
    [("uid65504@here.example", "uid65504@here.example"), ("joe@here.example", "550 5.7.1")],
)
def test_B3_a_user_whose_number_has_no_name_is_nobody_else(
    tmp_path: Path, verifier: Verifier, sender: str, outcome: str
) -> None:
    setting = Setting(tmp_path, verifier, "own_senders = true\n")
    assert setting.judge_sender(parse_mailbox(sender), Guest("", uid=65504)) == outcome


def test_an_account_that_is_suspended_or_gone_sends_nothing_more(setting: Setting, tmp_path: Path) -> None:
    guest = Guest("192.0.2.1", account=JOE)
    assert setting.judge_sender(JOE, guest) == "joe@here.example"
    change_secret(tmp_path / "secrets", JOE, lambda secret: Secret(secret.address, is_suspended=True))
    assert setting.judge_sender(JOE, guest) == "550 5.7.13"
    assert setting.judge_sender(JOE, Guest("", account=Mailbox("gone", "here.example"))) == "550 5.7.13"


def test_X8_a_user_of_this_host_whose_account_is_suspended_sends_nothing_either(
    setting: Setting, tmp_path: Path
) -> None:
    joe, ann = Guest("", uid=1000, login="joe"), Guest("", uid=1001, login="ann")
    change_secret(tmp_path / "secrets", JOE, lambda secret: Secret(secret.address, is_suspended=True))
    assert setting.judge_sender(JOE, joe) == "550 5.7.13"
    assert setting.judge_sender(None, joe) == "550 5.7.13"
    assert setting.judge_sender(JOE, ann) == "joe@here.example"


def test_B19_known_is_who_has_a_mailbox_an_alias_or_a_login(setting: Setting, tmp_path: Path) -> None:
    rules = make_rules(setting.configuration, RoutingFiles(setting.configuration))
    assert rules.domain == "here.example"
    assert rules.is_known("joe")
    assert rules.is_known("postmaster")
    assert rules.is_known("root")  # as who cron writes
    assert not rules.is_known("no-such-user")


def test_the_doors_stand_in_the_order_of_the_listeners(setting: Setting) -> None:
    assert [str(place) for place, _ in list_doors(setting.configuration)] == [
        str(setting.configuration.data / "run" / "submission.sock")
    ]
    text = TEXT + 'listen = ["127.0.0.1:587"]\nlisten_tls = ["[::1]:465"]\nlisten_local = false\n'
    doors = [(str(place), door.value) for place, door in list_doors(configure(text.format(data="x")))]
    assert doors == [("127.0.0.1:587", "clear"), ("[::1]:465", "tls")]


@pytest.mark.parametrize("domain", ["", "here.example", "here.example."])
@pytest.mark.parametrize("place", ["|/bin/x", "|/bin/x -a", "/var/mail/x", "/var/mail/x/", ":include:/x"])
def test_L4_what_sendmail_hands_in_names_no_program_or_file(
    setting: Setting, place: str, domain: str
) -> None:
    assert setting.judge_recipient(Mailbox(place, domain)) == "550 5.1.1"
