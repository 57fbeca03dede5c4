"""Delivery into Maildirs: written, found again, deferred, failed (F-1 to F-5, F-7, E-16, E-17, P1, P4)."""

import errno
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from paperpath.accounts.file import Accounts, add_account, load_accounts, parse_accounts
from paperpath.folders.maildir import Maildir, create_maildir
from paperpath.folders.upkeep import Upkeep
from paperpath.local.agents.maildir import delivery_name
from paperpath.local.delivery import defer_batch, deliver_batch
from paperpath.local.findings import Findings
from paperpath.local.places import Depot
from paperpath.mail.address import Mailbox, parse_mailbox
from paperpath.mail.envelope import NO_PARAMETERS
from paperpath.mail.outcome import Deferred, Delivered, Failed, Outcome, SetAside
from paperpath.maildrop.values import Claim, ClaimedMessage, Content

LISTED = "joe@here.example\tx/joe\tWork,Lists.Python\nann@here.example\tx/ann\n"
ACCOUNTS = parse_accounts(LISTED)
OCTETS = b"Received: x\r\nSubject: y\r\n\r\nbody\r\n"
HOST = "mx.here.example"
ADMIN = Mailbox("admin", "here.example")


@pytest.fixture(autouse=True)
def mailboxes(tmp_path: Path) -> None:
    for account in ACCOUNTS:
        create_maildir(tmp_path / "root", account.folder, account.subfolders)


@pytest.fixture
def joe(tmp_path: Path) -> Path:
    return tmp_path / "root/x/joe"


def content(octets: bytes = OCTETS, digest: bytes | None = None, file: Path | None = None) -> Content:
    digest = hashlib.sha256(octets).digest() if digest is None else digest
    return Content(len(octets), digest, None if file else octets, file)


def claim(number: int = 1, address: str = "joe", tried: bool = False, held: Content | None = None) -> Claim:
    sender = Mailbox("a", "b.example")
    message = ClaimedMessage(1, "Q", sender, NO_PARAMETERS, 1_700_000_000_000_123, held or content())
    to = Mailbox(address, "here.example")
    return Claim(number, message, to, to, sender, "here.example", tried, 2, "", "")


def depot(tmp_path: Path, *, accounts: Accounts = ACCOUNTS, create: bool = False) -> Depot:
    return Depot(tmp_path / "root", accounts, "+", ADMIN, create, HOST, 1_000_000, Upkeep())


def outcomes(tmp_path: Path, *claims: Claim) -> dict[int, Outcome]:
    found = deliver_batch(claims, depot(tmp_path))
    return {claim.recipient_id: outcome for claim, outcome in zip(claims, found, strict=True)}


def outcome_of(tmp_path: Path, only: Claim) -> Outcome:
    return outcomes(tmp_path, only)[only.recipient_id]


def new_in(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in sorted((folder / "new").iterdir())]


def test_F1_F2_F3_our_fields_stand_on_top_and_nothing_else_changes(tmp_path: Path, joe: Path) -> None:
    assert isinstance(outcome_of(tmp_path, claim()), Delivered)
    (file,) = (joe / "new").iterdir()
    assert file.name == f"1700000000.M123R1.mx.here.example,S={file.stat().st_size}"
    assert file.read_bytes() == (
        b"Return-Path: <a@b.example>\nDelivered-To: joe@here.example\n" + OCTETS.replace(b"\r\n", b"\n")
    )


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        (b"Return-Path: <old@x.example>\r\nA: b\r\n", b"A: b\n"),
        (b"A: b\r\nreturn-PATH :\r\n <old@x.example>\r\n\tmore\r\nC: d\r\n e\r\n", b"A: b\nC: d\n e\n"),
        (b"Return-Path: <1@x.example>\r\nA: b\r\nReturn-Path: <2@x.example>\r\n", b"A: b\n"),
        (
            b"Return-Paths: x\r\nX-Return-Path: y\r\nReturn-Path\r\n",
            b"Return-Paths: x\nX-Return-Path: y\nReturn-Path\n",
        ),
        (b"A: b\r\n Return-Path: folded\r\n", b"A: b\n Return-Path: folded\n"),
    ],
)
@pytest.mark.parametrize("body", [b"", b"\r\n", b"\r\nReturn-Path: <body@x.example>\r\n"])
@pytest.mark.parametrize("in_file", [False, True])
def test_F1_a_message_that_has_a_return_path_is_left_with_ours_alone(
    tmp_path: Path, joe: Path, header: bytes, kept: bytes, body: bytes, in_file: bool
) -> None:
    octets = header + body
    file = tmp_path / "content"
    file.write_bytes(octets)
    held = content(octets, file=file if in_file else None)
    assert isinstance(outcome_of(tmp_path, claim(held=held)), Delivered)
    ours = b"Return-Path: <a@b.example>\nDelivered-To: joe@here.example\n"
    assert new_in(joe) == [ours + kept + body.replace(b"\r\n", b"\n")]


@pytest.mark.parametrize("octets_before", [0, 300_000, 1_100_000])
def test_F1_a_return_path_is_found_in_a_header_of_at_most_a_MiB(
    tmp_path: Path, joe: Path, octets_before: int
) -> None:
    octets = b"A: b\r\n" * (octets_before // 6) + b"Return-Path: <old@x.example>\r\n\r\nbody\r\n"
    file = tmp_path / "content"
    file.write_bytes(octets)
    assert isinstance(outcome_of(tmp_path, claim(held=content(octets, file=file))), Delivered)
    (found,) = new_in(joe)
    assert found.count(b"Return-Path: ") == (2 if octets_before > 2**20 else 1)
    assert found.endswith(b"\n\nbody\n")


def test_F1_the_return_path_is_the_recipients(tmp_path: Path, joe: Path) -> None:
    of_list = replace(claim(), return_path=Mailbox("owner-x", "here.example"))
    outcomes(tmp_path, of_list, replace(claim(2), return_path=None))
    assert {octets.split(b"\n")[0] for octets in new_in(joe)} == {
        b"Return-Path: <owner-x@here.example>",
        b"Return-Path: <>",
    }


def test_F2_every_forwarding_step_puts_its_field_on_top(tmp_path: Path, joe: Path) -> None:
    held = content(b"Delivered-To: list@else.example\r\n\r\n")
    outcomes(tmp_path, claim(held=held))
    (octets,) = new_in(joe)
    assert octets.split(b"\n")[1:3] == [b"Delivered-To: joe@here.example", b"Delivered-To: list@else.example"]


def test_a_batch_has_an_outcome_for_every_claim_whatever_befalls_the_others(
    tmp_path: Path, joe: Path
) -> None:
    ann = tmp_path / "root/x/ann"
    ann.rename(tmp_path / "away")
    ann.write_text("a file where the mailbox should be")
    found = outcomes(
        tmp_path,
        claim(1),
        claim(2, "nobody"),
        claim(3, "ann"),
        claim(4, held=content(digest=b"wrong")),
        claim(5, held=content(file=tmp_path / "missing")),
        claim(6, "JOE"),
    )
    assert [type(found[number]) for number in range(1, 7)] == [
        Delivered,
        Failed,
        Deferred,
        SetAside,
        SetAside,
        Delivered,
    ]
    replies = {number: str(outcome.reply) for number, outcome in found.items()}
    assert replies[2].startswith("550 5.1.1")
    assert replies[3].startswith("451 4.2.0")
    assert "digest differs" in replies[4]
    assert "file of the content is missing" in replies[5]
    assert len(new_in(joe)) == 2
    assert not list((joe / "tmp").iterdir())


def test_E17_F5_an_unknown_user_fails(tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, claim(address="nobody"))
    assert isinstance(outcome, Failed)
    assert (outcome.reply.code, outcome.reply.status) == (550, "5.1.1")


def test_E4_the_postmaster_never_fails_for_want_of_a_mailbox(tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, claim(address="admin"))
    assert isinstance(outcome, Deferred)
    assert outcome.reply.status == "4.2.1"


def test_F5_nobody_fails_because_the_accounts_are_lost(tmp_path: Path) -> None:
    (outcome,) = deliver_batch([claim()], depot(tmp_path, accounts=Accounts({})))
    assert isinstance(outcome, Deferred)


TROUBLES = [
    (errno.ENOSPC, 452, "4.3.1"),
    (errno.EDQUOT, 452, "4.2.2"),
    (errno.EIO, 451, "4.3.0"),
    (errno.EROFS, 451, "4.3.0"),
    (errno.EACCES, 451, "4.2.0"),
    (errno.EMFILE, 451, "4.2.0"),
]


@pytest.mark.parametrize(("number", "code", "status"), TROUBLES)
@pytest.mark.parametrize("call", ["open", "write", "fsync", "rename"])
def test_F5_what_can_be_put_right_is_tried_again(
    tmp_path: Path, joe: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, code: int, status: str
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, fail)
        outcome = outcome_of(tmp_path, claim())
    assert isinstance(outcome, Deferred)
    assert (outcome.reply.code, outcome.reply.status) == (code, status)
    assert new_in(joe) == []
    assert isinstance(outcome_of(tmp_path, claim(tried=True)), Delivered)
    assert len(new_in(joe)) == 1
    assert not list((joe / "tmp").iterdir())


def test_F5_a_home_that_is_missing_or_open_to_all_waits(tmp_path: Path, joe: Path) -> None:
    joe.chmod(0o777)
    outcome = outcome_of(tmp_path, claim())
    assert isinstance(outcome, Deferred)
    assert (outcome.reply.code, outcome.reply.status) == (451, "4.3.5")
    joe.rename(joe.with_name("away"))
    outcome = outcome_of(tmp_path, claim())
    assert isinstance(outcome, Deferred)
    assert (outcome.reply.code, outcome.reply.status) == (450, "4.2.0")
    joe.with_name("away").rename(joe)
    joe.chmod(0o700)
    assert isinstance(outcome_of(tmp_path, claim()), Delivered)


def test_F11_a_missing_maildir_is_made_where_that_is_switched_on(tmp_path: Path, joe: Path) -> None:
    joe.rename(joe.with_name("away"))
    (outcome,) = deliver_batch([claim()], depot(tmp_path))
    assert isinstance(outcome, Deferred)
    assert (outcome.reply.code, outcome.reply.status) == (450, "4.2.0")
    (outcome,) = deliver_batch([claim()], depot(tmp_path, create=True))
    assert isinstance(outcome, Delivered)
    assert joe.stat().st_mode & 0o777 == 0o700
    assert len(new_in(joe)) == 1


@pytest.mark.parametrize(
    "value",
    [
        b"joe@here.example",
        b" joe@HERE.example \r\n",
        b"\t<joe@here.example>",
        b"\r\n joe@here.example",
    ],
)
def test_E16_what_was_delivered_here_before_goes_in_a_circle(tmp_path: Path, joe: Path, value: bytes) -> None:
    held = content(b"Subject: x\r\nDelivered-To:" + value.removesuffix(b"\r\n") + b"\r\n\r\nbody\r\n")
    outcome = outcome_of(tmp_path, claim(held=held))
    assert isinstance(outcome, Failed)
    assert outcome.reply.status == "5.4.6"
    assert new_in(joe) == []


@pytest.mark.parametrize("address", ["joe+Work", "JOE", "Joe+x"])
def test_E16_what_an_account_had_is_not_kept_again_however_it_is_spelt(
    tmp_path: Path, joe: Path, address: str
) -> None:
    held = content(b"Delivered-To: joe@here.example\r\n\r\nbody\r\n")
    own = replace(claim(address=address, held=held), expanded_via=("x", "also forward joe@here.example"))
    assert isinstance(outcome_of(tmp_path, own), Failed)
    assert isinstance(outcome_of(tmp_path, replace(own, expanded_via=("x",))), Delivered)


@pytest.mark.parametrize(
    "octets",
    [
        b"Delivered-To: ann@here.example\r\n\r\n",
        b"X-Delivered-To: joe@here.example\r\n\r\n",
        b"Subject: x\r\n\r\nDelivered-To: joe@here.example\r\n",
        b"\r\nDelivered-To: joe@here.example\r\n",
        b"Subject: x\r\n Delivered-To: joe@here.example\r\n\r\n",
        b"Delivered-To: \xff\xfe\r\nDelivered-To: joe@\r\n\r\n",
    ],
)
def test_E16_only_this_address_in_the_header_counts(tmp_path: Path, joe: Path, octets: bytes) -> None:
    assert isinstance(outcome_of(tmp_path, claim(held=content(octets))), Delivered)
    assert len(new_in(joe)) == 1


def test_E16_reads_a_file_no_further_than_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    octets = b"Delivered-To: joe@here.example\r\n\r\n" + b"x" * 2**21
    file = tmp_path / "content"
    file.write_bytes(octets)
    with monkeypatch.context() as patched:
        patched.setattr(hashlib, "sha256", None)  # what hashed it would have read it all
        held = Content(len(octets), b"", None, file)
        assert isinstance(outcome_of(tmp_path, claim(held=held)), Failed)


HOSTILE = [
    "`id`",
    "$(id)",
    ";rm -rf .",
    "-rf",
    "../../x",
    "..",
    "/etc/passwd",
    "joe+../../ann/new",
    "joe+../ann",
    "joe+.",
    "joe+..",
    "joe+/",
    "joe+Work/../../../ann",
    "joe+\x00",
    "joe+Work\n",
    "joe+" + "x" * 250,
]


@pytest.mark.parametrize("local", HOSTILE)
def test_F4_L1_no_local_part_leads_out_of_its_mailbox(tmp_path: Path, joe: Path, local: str) -> None:
    before = {path for path in tmp_path.rglob("*") if not path.is_relative_to(joe)}
    outcome = outcome_of(tmp_path, claim(address=local))
    assert {path for path in tmp_path.rglob("*") if not path.is_relative_to(joe)} == before
    if isinstance(outcome, Delivered):
        assert local.startswith("joe+")
        assert len(new_in(joe)) == 1
    else:
        assert isinstance(outcome, Failed)


@pytest.mark.parametrize("local", ["`id`", "$(id)", ";rm", "-rf", "../../x", "..", "a/b", "%2E%2E"])
def test_F4_an_account_of_any_name_has_a_mailbox_below_the_root(tmp_path: Path, local: str) -> None:
    file = tmp_path / "accounts"
    address = Mailbox(local, "here.example")
    account = add_account(file, address)
    create_maildir(tmp_path / "other", account.folder)
    there = replace(depot(tmp_path, accounts=load_accounts(file)), root=tmp_path / "other")
    (outcome,) = deliver_batch([claim(address=local)], there)
    assert isinstance(outcome, Delivered)
    (file,) = (file for file in (tmp_path / "other").rglob("*") if file.is_file())
    assert len(file.relative_to(tmp_path / "other").parts) == 4
    assert parse_mailbox(file.read_text().split("\n")[1].removeprefix("Delivered-To: ")) == address


@pytest.mark.parametrize(
    ("local", "folder"),
    [
        ("joe+Work", ".Work"),
        ("JOE+work", ".Work"),
        ("joe+Lists.Python", ".Lists.Python"),
        ("joe+Lists", "."),
        ("joe+Trash", "."),
        ("joe+", "."),
        ("joe", "."),
    ],
)
def test_E6_L1_a_detail_selects_a_listed_folder_and_else_the_inbox(
    tmp_path: Path, joe: Path, local: str, folder: str
) -> None:
    (joe / ".Trash").mkdir()  # it is there, and not listed
    assert isinstance(outcome_of(tmp_path, claim(address=local)), Delivered)
    (octets,) = new_in(joe / folder)
    assert f"Delivered-To: {local}@here.example\n".encode() in octets
    assert len([file for file in joe.rglob("*M123R1*") if file.is_file()]) == 1


def test_P1_damaged_content_is_never_delivered(tmp_path: Path, joe: Path) -> None:
    file = tmp_path / "content"
    file.write_bytes(OCTETS.replace(b"body", b"BODY"))
    damaged = content(digest=hashlib.sha256(OCTETS).digest(), file=file)
    assert isinstance(outcome_of(tmp_path, claim(held=damaged)), SetAside)
    assert new_in(joe) == []


def test_content_that_cannot_be_read_now_is_tried_again(tmp_path: Path) -> None:
    held = content(file=tmp_path)  # a folder: whatever it is, it is not missing
    assert isinstance(outcome_of(tmp_path, claim(held=held)), Deferred)


def test_P4_a_tried_claim_that_was_delivered_is_not_written_again(tmp_path: Path, joe: Path) -> None:
    outcomes(tmp_path, claim())
    (file,) = (joe / "new").iterdir()
    file.rename(joe / ".Work/cur" / f"{file.name}:2,S")
    found = outcome_of(tmp_path, claim(tried=True))
    assert isinstance(found, Delivered)
    assert "earlier" in str(found.reply)
    assert new_in(joe) == []


def test_P4_a_directory_that_cannot_be_flushed_leaves_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(maildir: Maildir) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Maildir, "flush", fail)
    found = outcomes(tmp_path, claim(), claim(2, held=content(digest=b"wrong")))
    assert isinstance(found[1], Deferred)
    assert found[1].uncertain
    assert isinstance(found[2], SetAside)  # of that there is no doubt


def test_P4_a_tried_claim_that_was_not_delivered_is(tmp_path: Path, joe: Path) -> None:
    assert isinstance(outcome_of(tmp_path, claim(tried=True)), Delivered)
    assert len(new_in(joe)) == 1


def test_a_batch_that_ended_unforeseen_leaves_doubt(tmp_path: Path) -> None:
    (outcome,) = defer_batch([claim()], 1_000_000, RuntimeError("x"))
    assert isinstance(outcome, Deferred)
    assert outcome.uncertain
    assert outcome.due_us == 1_000_000 + 40_000_000


def test_F7_names_differ_by_recipient_and_carry_no_slash() -> None:
    assert delivery_name(claim(1), "h") != delivery_name(claim(2), "h")
    assert delivery_name(claim(1), "a/b:c") == "1700000000.M123R1.a\\057b\\072c"


@pytest.mark.slow
def test_F7_ten_thousand_parallel_deliveries_are_ten_thousand_files(
    tmp_path: Path, joe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # the names are what is asked about
    here = depot(tmp_path)
    batches = [[claim(start + number) for number in range(50)] for start in range(0, 10_000, 50)]
    with ThreadPoolExecutor(8) as threads:
        found = [
            outcome
            for batch in threads.map(lambda batch: deliver_batch(batch, here), batches)
            for outcome in batch
        ]
    assert all(isinstance(outcome, Delivered) for outcome in found)
    assert len(list((joe / "new").iterdir())) == 10_000


def test_one_flush_serves_all_deliveries_to_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushes: list[str] = []
    fsync = os.fsync

    def count(descriptor: int) -> None:
        flushes.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    here = depot(tmp_path)
    deliver_batch([claim()], here)
    monkeypatch.setattr(os, "fsync", count)
    deliver_batch([claim(number) for number in range(2, 22)], here)
    assert len(flushes) == 21
    assert len([path for path in flushes if path.endswith("/new")]) == 1


FOUND = Findings(HOST, b"Authentication-Results: mx.here.example;\r\n dkim=none\r\n")
OURS_ON_TOP = (
    b"Return-Path: <a@b.example>\nDelivered-To: joe@here.example\n"
    b"Authentication-Results: mx.here.example;\n dkim=none\n"
)
FORGED = (
    b"Authentication-Results: mx.here.example; dkim=pass header.d=bank.example\r\n"
    b"AUTHENTICATION-results :(a (nested) comment)\r\n\t MX.Here.example (x) 1; spf=pass\r\n"
)
FOREIGN = b"Authentication-Results: other.example; dkim=pass header.d=mx.here.example\r\n"


@pytest.mark.parametrize("in_file", [False, True])
def test_I21_what_is_forged_in_our_name_goes_and_ours_stands_above_Received(
    tmp_path: Path, joe: Path, in_file: bool
) -> None:
    file = tmp_path / "content"
    octets = FORGED + b"Return-Path: <old@x.example>\r\n" + FOREIGN + OCTETS + FORGED
    file.write_bytes(octets)
    one = claim(held=content(octets, file=file if in_file else None))
    (outcome,) = deliver_batch([one], replace(depot(tmp_path), findings={1: FOUND}))
    assert isinstance(outcome, Delivered)
    kept = FOREIGN + OCTETS + FORGED
    assert new_in(joe) == [OURS_ON_TOP + kept.replace(b"\r\n", b"\n")]


def test_I21_of_whom_nobody_found_anything_nothing_is_changed(tmp_path: Path, joe: Path) -> None:
    octets = FORGED + OCTETS
    assert isinstance(outcome_of(tmp_path, claim(held=content(octets))), Delivered)
    ours = b"Return-Path: <a@b.example>\nDelivered-To: joe@here.example\n"
    assert new_in(joe) == [ours + octets.replace(b"\r\n", b"\n")]


def test_I21_a_header_of_more_than_a_MiB_hides_nothing(tmp_path: Path, joe: Path) -> None:
    octets = b"X: y\r\n" * 300_000 + FORGED + b"A: b\r\n\r\nbody\r\n"
    file = tmp_path / "content"
    file.write_bytes(octets)
    deliver_batch([claim(held=content(octets, file=file))], replace(depot(tmp_path), findings={1: FOUND}))
    (found,) = new_in(joe)
    assert found == OURS_ON_TOP + b"X: y\n" * 300_000 + b"A: b\n\nbody\n"
