"""What is set for accounts, in the file of them: read, changed, and a file of before read as it was."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.accounts.file import (
    AccountsError,
    add_account,
    change_settings,
    load_accounts,
    parse_accounts,
    remove_account,
)
from paperpath.accounts.settings import NO_SETTINGS, Settings, format_settings, parse_settings
from paperpath.config.quota import parse_quota
from paperpath.mail.address import Mailbox

JOE = Mailbox("joe", "here.example")
X = Mailbox("x", "else.example")
OLD = "# ours\njoe@here.example\there.example/joe\nann@here.example\thand/made\tWork,Lists.Python\n"
ADDRESSES = st.builds(
    Mailbox, st.sampled_from(["x", "a b", "|/bin/x", "a,b", "jörg"]), st.just("else.example")
)
SETTINGS = st.builds(
    Settings,
    st.sampled_from(["", "archive", "A-9_"]),
    st.lists(ADDRESSES, min_size=1, unique=True).map(tuple),
    st.booleans(),
    st.sampled_from([None, parse_quota("10C")]),
    st.sampled_from([(), ("box",), ("box", "B-1_")]),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "accounts"
    file.write_text(OLD)
    return file


def test_a_file_of_before_is_read_as_it_was_and_stays_so(file: Path) -> None:
    for account in load_accounts(file):
        assert account.settings is NO_SETTINGS
    add_account(file, X)
    remove_account(file, X)
    assert file.read_text() == OLD


def test_settings_are_changed_and_the_rest_of_the_file_is_not(file: Path) -> None:
    changed = change_settings(
        file, JOE, lambda had: replace(had, deliver="archive", forwards=(X,), keeps=True)
    )
    assert file.read_text() == OLD.replace(
        "here.example/joe\n", "here.example/joe\t\tdeliver=archive\tforward=x@else.example\tkeep\n"
    )
    assert load_accounts(file).find(JOE) == changed
    change_settings(file, JOE, lambda _: NO_SETTINGS)
    assert file.read_text() == OLD
    ann = Mailbox("ann", "here.example")
    change_settings(file, ann, lambda had: replace(had, deliver="archive"))
    found = load_accounts(file).find(ann)
    assert found is not None
    assert (found.subfolders, found.settings.deliver) == (("Work", "Lists.Python"), "archive")
    remove_account(file, ann)
    assert "ann" not in file.read_text()
    with pytest.raises(AccountsError, match="no account"):
        change_settings(file, ann, lambda had: had)


@given(SETTINGS)
def test_what_was_written_is_read(settings: Settings) -> None:
    line = "\t".join(["joe@here.example", "x", "", *format_settings(settings)])
    (account,) = parse_accounts(line + "\n")
    assert account.settings == settings


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ("keep", "an address to forward to"),
        ("deliver=a\tdeliver=b", "once"),
        ("deliver=maildir", "other than"),
        ("deliver=a b", "a name of"),
        ("forward=x", "no domain"),
        ("forward=postmaster", "no domain"),
        ("forward=|/bin/x", "no domain"),
        ("forward=/var/mail/x", "no domain"),
        ("forward=:include:/x", "malformed"),
        ("forward=agent:", "a name of"),
        ("forward=agent:maildir", "other than"),
        ("forward=agent:box@here.example", "a name of"),
        ("forward=agent:a\tforward=agent:b\tdeliver=b\tkeep", "others to forward to than b"),
        ("forward=x@else.example\tkeep\tkeep", "once"),
        ("what=x", "expected deliver=AGENT"),
        ("\t".join(f"forward=x{number}@else.example" for number in range(101)), "at most 100"),
    ],
)
def test_L4_a_broken_setting_is_named(fields: str, reason: str) -> None:
    with pytest.raises(AccountsError, match=f"line 1: .*{reason}"):
        parse_accounts(f"joe@here.example\tx\t\t{fields}\n")


def test_no_fields_are_no_settings() -> None:
    assert parse_settings([]) is NO_SETTINGS
