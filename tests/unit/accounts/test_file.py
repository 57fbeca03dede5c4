"""Accounts: found as E-5 says, changed whole, refused with the line (P7, L-1, L-4)."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.accounts.file import (
    AccountsError,
    AccountsFile,
    _make_folder,
    add_account,
    load_accounts,
    parse_accounts,
    remove_account,
)
from paperpath.mail.address import Mailbox, parse_mailbox

JOE = Mailbox("joe", "here.example")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "accounts"


def test_E5_exact_case_goes_before_any_case() -> None:
    accounts = parse_accounts("joe@here.example\ta/joe\nJoe@here.example\ta/Joe\nann@here.example\ta/ann\n")
    for spelt, folder in (("joe", "a/joe"), ("Joe", "a/Joe"), ("ANN", "a/ann")):
        account = accounts.find(Mailbox(spelt, "HERE.example."))
        assert account is not None
        assert str(account.folder) == folder
    assert accounts.find(Mailbox("nobody", "here.example")) is None


def test_E5_S9_a_letter_composed_or_not_is_one_letter() -> None:
    accounts = parse_accounts("jos\u00e9@bücher.example\ta\nJOSE\u0301@bücher.example\tb\nann@x.example\tc\n")
    for spelt, folder in (
        ("jos\u00e9", "a"),
        ("jose\u0301", "a"),  # before JOSÉ, which it is only in another case
        ("JOS\u00c9", "b"),
        ("Ann", "c"),
    ):
        for domain in ("bücher.example", "xn--bcher-kva.example") if folder != "c" else ("x.example",):
            account = accounts.find(Mailbox(spelt, domain))
            assert account is not None
            assert str(account.folder) == folder
    assert accounts.find(Mailbox("jose", "bücher.example")) is None


def test_E5_any_case_is_that_of_unicode() -> None:
    accounts = parse_accounts("σίσυφος@x.example\ta\nstraße@x.example\tb\n")
    assert accounts.find(Mailbox("ΣΊΣΥΦΟΣ", "x.example")) is not None
    assert accounts.find(Mailbox("STRASSE", "x.example")) is not None


def test_A23_a_quoted_spelling_finds_the_same_account() -> None:
    accounts = parse_accounts('"joe"@here.example\ta\n"a b"@here.example\tb\n')
    assert accounts.find(JOE) is not None
    assert accounts.find(parse_mailbox('"A\\ b"@here.example')) is not None


def test_S9_one_account_for_all_spellings_of_its_address(file: Path) -> None:
    account = add_account(file, Mailbox("jose\u0301", "BÜCHER.example"))
    assert str(account.folder) == "xn--bcher-kva.example/jos%C3%A9"
    assert [str(one.address) for one in load_accounts(file)] == ["jose\u0301@BÜCHER.example"]
    same = Mailbox("jos\u00e9", "xn--bcher-kva.example")
    with pytest.raises(AccountsError, match="already"):
        add_account(file, same)
    assert remove_account(file, same) == account


def test_added_accounts_are_listed_and_removed_again(file: Path) -> None:
    add_account(file, JOE)
    add_account(file, Mailbox("Joe", "here.example"))
    assert [str(account.address) for account in load_accounts(file)] == [
        "joe@here.example",
        "Joe@here.example",
    ]
    with pytest.raises(AccountsError, match=r"joe@here\.example already"):
        add_account(file, JOE)
    assert str(remove_account(file, JOE).folder) == "here.example/joe"
    with pytest.raises(AccountsError, match="no account"):
        remove_account(file, JOE)
    assert [str(account.address) for account in load_accounts(file)] == ["Joe@here.example"]


def test_comments_and_order_of_a_hand_made_file_stay(file: Path) -> None:
    file.write_text("# ours\n\nb@x.example\tx/b\n# theirs\na@x.example\telse/where\n")
    add_account(file, JOE)
    remove_account(file, Mailbox("b", "x.example"))
    assert file.read_text() == (
        "# ours\n\n# theirs\na@x.example\telse/where\njoe@here.example\there.example/joe\n"
    )


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("joe@here.example\n", 1, "one tab"),
        ("# x\njoe\tx\n", 2, "no domain"),
        ("postmaster\tx\n", 1, "no domain"),
        ("a b@x.example\tx\n", 1, "malformed|no domain"),
        ("joe@x.example\t/etc\n", 1, "below the root"),
        ("joe@x.example\ta/../../b\n", 1, "below the root"),
        ("joe@x.example\ta\x00b\n", 1, "below the root"),
        ("jos\u00e9@x.example\tx\njose\u0301@x.example\ty\n", 2, "twice"),
        ("a\x85b@x.example\tx\n", 1, "one tab"),
        ("a@💩.example\tx\n", 1, "domain is malformed"),
        ("joe@x.example\tx\nJOE@x.example\ty\njoe@X.example\tz\n", 3, "twice"),
    ],
)
def test_a_broken_line_is_named(text: str, line: int, reason: str) -> None:
    with pytest.raises(AccountsError, match=rf"line {line}: .*({reason})"):
        parse_accounts(text)


def test_L4_a_file_that_anyone_may_write_is_refused(file: Path) -> None:
    add_account(file, JOE)
    file.chmod(0o666)
    with pytest.raises(AccountsError, match="chmod o-w"):
        load_accounts(file)


def test_a_replaced_file_is_noticed_and_a_broken_one_keeps_the_old(file: Path) -> None:
    add_account(file, JOE)
    watched = AccountsFile(file)
    assert watched.read().find(JOE) is not None
    ann = add_account(file, Mailbox("ann", "here.example")).address
    assert watched.read().find(ann) is not None
    file.write_text("garbage\n")
    assert watched.read().find(ann) is not None
    assert "line 1" in (watched.take_trouble() or "")
    assert watched.take_trouble() is None


@pytest.mark.parametrize("gone", [Path.unlink, lambda file: file.write_text("")])
def test_a_file_that_is_gone_or_empty_for_a_moment_keeps_the_old(
    file: Path, gone: Callable[[Path], object]
) -> None:
    add_account(file, JOE)
    watched = AccountsFile(file)
    gone(file)
    assert watched.read().find(JOE) is not None
    assert "missing or empty" in (watched.take_trouble() or "")
    add_account(file, Mailbox("ann", "here.example"))
    assert watched.read().find(JOE) is None


def test_a_hand_made_file_without_a_last_newline_is_added_to_line_by_line(file: Path) -> None:
    file.write_text("a@x.example\tx/a")
    add_account(file, JOE)
    assert file.read_text() == "a@x.example\tx/a\njoe@here.example\there.example/joe\n"


def test_no_file_holds_nobody(file: Path) -> None:
    assert list(load_accounts(file)) == []


def test_two_writers_at_once_lose_nothing(file: Path) -> None:
    def add_many(prefix: str) -> None:
        for number in range(20):
            add_account(file, Mailbox(f"{prefix}{number}", "here.example"))

    threads = [threading.Thread(target=add_many, args=(prefix,)) for prefix in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(load_accounts(file))) == 40


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40))
def test_L1_no_local_part_leaves_its_domain_folder(local: str) -> None:
    folder = _make_folder(Mailbox(local, "here.example"))
    assert len(folder.parts) == 2
    assert folder.parts[0] == "here.example"
    assert folder.parts[1] not in {".", "..", ""}
    assert not folder.parts[1].startswith(".")


@given(*[st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=20)] * 2)
def test_unlike_local_parts_have_unlike_folders(one: str, other: str) -> None:
    same = _make_folder(Mailbox(one, "x.example")) == _make_folder(Mailbox(other, "x.example"))
    assert same is (one == other)


def test_an_address_too_long_for_a_folder_is_refused(file: Path) -> None:
    with pytest.raises(AccountsError, match="too long"):
        add_account(file, parse_mailbox('"' + "/" * 100 + '"@here.example'))


def test_E6_L1_an_account_lists_the_folders_that_a_detail_may_select(file: Path) -> None:
    add_account(file, JOE, ["Work", "Lists.Python"])
    account = load_accounts(file).find(JOE)
    assert account is not None
    assert [account.find_subfolder(detail) for detail in ("Work", "work", "LISTS.python", "Lists", "")] == [
        "Work",
        "Work",
        "Lists.Python",
        "",
        "",
    ]
    remove_account(file, JOE)
    assert load_accounts(file).find(JOE) is None


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", ".Work", "a..b", "a,b", "é", "a\nb", "x" * 255]
)
def test_L1_a_listed_folder_is_a_name_and_no_path(file: Path, name: str) -> None:
    with pytest.raises(AccountsError, match="expected a folder in the mailbox"):
        add_account(file, JOE, [name])
    with pytest.raises(AccountsError, match="line 1"):
        parse_accounts(f"joe@here.example\ta\tWork,{name}\n".replace("a\nb", "a b").replace("a,b", "a b"))
