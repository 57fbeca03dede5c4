"""`paperpath selftest`: what it makes of what it sees, and that it finds what is planted."""

import json
import os
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from paperpath.commands import selftest_durability, selftest_permissions
from paperpath.commands.selftest_configuration import (
    judge_certificate,
    judge_name,
    judge_programs,
    list_places,
)
from paperpath.commands.selftest_durability import judge_cache, judge_flushes, judge_mount, try_disks
from paperpath.commands.selftest_findings import EX_FAULT, Finding, Verdict, choose_exit, show
from paperpath.commands.selftest_permissions import try_permissions
from paperpath.commands.selftest_rules import Rule, Rules, Seen, judge
from paperpath.commands.selftest_smuggling import judge_replies, list_variants
from paperpath.commands.selftest_starttls import judge_before, judge_injected, judge_no_handshake
from paperpath.config.loader import load_configuration
from paperpath.dns.answer import Answer, Status
from paperpath.maildrop.sqlite.filesystem import Mount
from paperpath.service.privileges import name_user
from tests.support.installation import find_free_port
from tests.support.lax_server import lax_server
from tests.support.tls import write_certificate
from tests.unit.commands.test_commands import run

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VARIANT = next(list_variants())
BAD, GOOD, DOUBT, UNTOLD = Verdict.FAULT, Verdict.GOOD, Verdict.DOUBTFUL, Verdict.UNTOLD


@pytest.fixture
def file(tmp_path: Path) -> Path:
    result = run("init", "--listen", f"127.0.0.1:{find_free_port()}", tmp_path / "here")
    assert result.exit_code == 0, result.output
    return tmp_path / "here" / "paperpath.toml"


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([], 0),
        ([GOOD, DOUBT, UNTOLD], 0),
        ([GOOD, Verdict.UNTRIED], os.EX_UNAVAILABLE),
        ([BAD, Verdict.UNTRIED], EX_FAULT),
    ],
)
def test_a_fault_goes_before_what_could_not_be_tried(verdicts: list[Verdict], code: int) -> None:
    assert choose_exit(Finding(verdict, "", "") for verdict in verdicts) == code


@given(st.text(), st.text())
def test_S6_nothing_that_a_server_says_reaches_the_terminal_raw(tried: str, seen: str) -> None:
    lines: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("click.echo", lines.append)
        show({"part": [Finding(GOOD, tried, seen)]})
    assert len(lines) == 3
    assert all(line.isascii() and line.isprintable() for line in lines)


def test_A35_A36_every_variant_has_a_message_refused_and_ends_it_nowhere() -> None:
    variants = list(list_variants())
    assert len({variant.octets for variant in variants}) == len(variants) > 25
    for variant in variants:
        content = variant.content
        assert content.count(b"\r\n.\r\n") == 1  # the real end
        assert content.endswith(b"\r\n.\r\nQUIT\r\n")
        bare = content.replace(b"\r\n", b"")
        assert b"\n" in bare or b"\r" in bare, variant.name


@pytest.mark.parametrize(
    ("replies", "verdict"),
    [
        (["550 5.5.2 no", "221 bye"], GOOD),
        (["550 5.5.2 no"], GOOD),
        (["550 5.5.2 no", "421 too many errors"], GOOD),
        (["250 taken", "221 bye"], BAD),
        (["250 taken", "250 fine", "500 what?", "221 bye"], BAD),
        (["550 5.5.2 no", "250 fine", "500 what?", "221 bye"], BAD),
        (["452 4.3.1 full", "221 bye"], UNTOLD),
        (["221 bye"], UNTOLD),
        ([], UNTOLD),
    ],
)
def test_A35_A36_a_message_has_one_reply_and_that_is_a_refusal(replies: list[str], verdict: Verdict) -> None:
    assert judge_replies(VARIANT, replies).verdict is verdict


@pytest.mark.parametrize(
    ("first", "inside", "verdict"),
    [
        ("421 4.7.0 closing", [], GOOD),
        ("", [], GOOD),
        ("220 go on", ["221 bye"], GOOD),
        ("220 go on", [], GOOD),
        ("220 go on", ["250 fine", "221 bye"], BAD),
        ("220 go on", ["500 what?", "221 bye"], BAD),
    ],
)
def test_A72_S8_what_came_behind_STARTTLS_has_no_reply(
    first: str, inside: list[str], verdict: Verdict
) -> None:
    assert judge_injected(first, inside).verdict is verdict


def test_A71_S8_what_came_before_TLS_is_forgotten() -> None:
    assert judge_before("250 fine").verdict is BAD
    assert judge_before("503 MAIL first").verdict is GOOD
    assert judge_before("").verdict is GOOD


def test_S8_an_answer_in_the_clear_where_TLS_begins_is_a_fault() -> None:
    error = ssl.SSLError()
    for reason, verdict in (("WRONG_VERSION_NUMBER", BAD), ("SSLV3_ALERT_HANDSHAKE_FAILURE", GOOD)):
        error.reason = reason
        assert judge_no_handshake(error).verdict is verdict


@pytest.mark.parametrize(
    ("mount", "verdict"),
    [
        (None, UNTOLD),
        (Mount("ext4", "8:1", ("rw", "relatime")), GOOD),
        (Mount("ext4", "8:1", ("rw", "nobarrier")), BAD),
        (Mount("ext4", "8:1", ("rw", "barrier=0")), BAD),
        (Mount("nfs4", "0:9", ("rw",)), BAD),
        (Mount("fuse.sshfs", "0:9", ("rw",)), BAD),
        (Mount("tmpfs", "0:9", ("rw",)), BAD),
        (Mount("overlay", "0:9", ("rw", "volatile")), BAD),
        (Mount("overlay", "0:9", ("rw",)), DOUBT),
    ],
)
def test_L7_what_does_not_keep_a_flush_is_said(mount: Mount | None, verdict: Verdict) -> None:
    assert judge_mount(mount).verdict is verdict


def test_of_a_cache_only_what_is_known_is_said() -> None:
    assert [judge_cache(text).verdict for text in ("write back", "write through", "", "new")] == [
        GOOD,
        UNTOLD,
        UNTOLD,
        UNTOLD,
    ]


@pytest.mark.parametrize(
    ("lengths_s", "turns", "verdict"),
    [
        ([0.008, 0.009, 0.0001], True, GOOD),
        ([0.0001, 0.0002, 0.008], True, DOUBT),
        ([0.0001, 0.0002, 0.008], False, GOOD),
        ([0.000001, 0.000002, 0.008], False, DOUBT),
    ],
)
def test_flushes_that_no_device_could_make_are_doubted(
    lengths_s: list[float], turns: bool, verdict: Verdict
) -> None:
    assert judge_flushes(lengths_s, turns=turns).verdict is verdict


def test_the_disks_are_looked_at_and_nothing_stays(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = load_configuration(file)
    devices = file.parent / "block"
    (devices / "8:1" / "queue").mkdir(parents=True)
    (devices / "8:1" / "queue" / "write_cache").write_text("write back\n")
    monkeypatch.setattr(selftest_durability, "DEVICES", devices)
    monkeypatch.setattr(selftest_durability, "read_mount", lambda _: Mount("ext4", "8:1", ("nobarrier",)))
    before = sorted(configuration.data.rglob("*"))
    found = list(try_disks(configuration))
    everything = "maildrop, mailboxes, drop directory"
    assert [one.tried for one in found] == [
        f"{everything}: the file system",
        f"{everything}: the write cache of its device",
        f"{everything}: 20 flushes of 4 KiB",
    ]
    assert [one.verdict for one in found[:2]] == [BAD, GOOD]
    assert sorted(configuration.data.rglob("*")) == before


OWN = Rule(0o600, 0o066, owners=frozenset((os.geteuid(),)))


@pytest.mark.parametrize(
    ("mode", "rule", "verdict"),
    [
        (stat.S_IFREG | 0o600, OWN, None),
        (stat.S_IFREG | 0o400, OWN, None),
        (stat.S_IFREG | 0o604, OWN, BAD),
        (stat.S_IFREG | 0o620, OWN, BAD),
        (stat.S_IFREG | 0o700, OWN, DOUBT),
        (stat.S_IFLNK | 0o777, OWN, BAD),
        (stat.S_IFSOCK | 0o600, Rule(0o666, 0o066, required=0o666), BAD),
        (stat.S_IFSOCK | 0o666, Rule(0o666, 0o066, required=0o666), None),
    ],
)
def test_L3_L4_L5_a_mode_has_what_it_must_and_nothing_more(
    mode: int, rule: Rule, verdict: Verdict | None
) -> None:
    found = judge(Path("x"), Seen(mode, os.geteuid()), rule)
    assert (None if found is None else found.verdict) is verdict


def test_L1_a_link_is_a_fault_whatever_its_mode() -> None:
    found = judge(Path("x"), Seen(stat.S_IFLNK | 0o777, os.geteuid()), Rule(0o777, 0))
    assert found is not None
    assert found.verdict is BAD


def test_L3_what_is_somebody_elses_is_a_fault() -> None:
    found = judge(Path("x"), Seen(stat.S_IFREG | 0o600, os.geteuid() + 1), OWN)
    assert found is not None
    assert (found.verdict, name_user(os.geteuid()) in found.seen) == (BAD, True)


def test_L4_a_folder_above_that_everybody_may_write_is_a_fault_unless_it_is_like_tmp() -> None:
    assert Rules.judge_parent(Path("x"), Seen(stat.S_IFDIR | 0o1777, 0)) is None
    found = Rules.judge_parent(Path("x"), Seen(stat.S_IFDIR | 0o777, 0))
    assert found is not None
    assert found.verdict is BAD


def test_L1_L3_L4_L5_a_new_installation_is_as_it_should_be_and_what_is_planted_is_found(file: Path) -> None:
    configuration = load_configuration(file)
    (good,) = try_permissions(configuration, file)
    assert good.verdict is GOOD
    data = configuration.data
    (data / "secrets").chmod(0o644)
    (data / "maildrop").chmod(0o750)
    (data / "drop").chmod(0o700)
    (data / "drop" / "left-by-somebody").touch(0o666)
    file.chmod(0o666)
    (configuration.mailbox_root / "link").symlink_to("/etc")
    file.parent.chmod(0o777)
    *wrong, sum_ = try_permissions(configuration, file)
    assert {one.tried: one.verdict for one in wrong} == {
        str(data / "secrets"): BAD,
        str(data / "maildrop"): BAD,
        str(data / "drop"): BAD,
        str(file): BAD,
        str(configuration.mailbox_root / "link"): BAD,
        str(file.parent): BAD,
    }
    assert "6 are not as they should be" in sum_.seen


def test_what_programs_remove_meanwhile_is_no_fault(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = load_configuration(file)
    monkeypatch.setattr(selftest_permissions, "_walk", lambda *_: iter([configuration.data / "gone"]))
    (good,) = try_permissions(configuration, file)
    assert good.verdict is GOOD


def make_certificate(folder: Path, *names: str, end: datetime | None = None) -> bytes:
    chain, _ = write_certificate(folder, *names, end=end)
    leaf = x509.load_pem_x509_certificates(chain.read_bytes())[0]
    return leaf.public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("name", "days", "verdict"),
    [
        ("mx.here.example", 90, GOOD),
        ("*.here.example", 90, GOOD),
        ("mx.here.example", 13, DOUBT),
        ("mx.here.example", -1, BAD),
        ("else.example", 90, DOUBT),
    ],
)
def test_A70_a_certificate_that_is_shown_lasts_and_is_for_the_host(
    name: str, days: int, verdict: Verdict, tmp_path: Path
) -> None:
    octets = make_certificate(tmp_path, name, end=NOW + timedelta(days=days))
    assert judge_certificate(octets, "mx.here.example", NOW).verdict is verdict


def test_what_is_no_certificate_is_doubted() -> None:
    assert judge_certificate(b"", "mx.here.example", NOW).verdict is DOUBT


def test_programs_that_do_not_answer_are_a_fault() -> None:
    rows = [{"name": "smtprd", "status": "listening"}, {"name": "smtpld", "error": "is silent"}]
    assert [one.verdict for one in judge_programs(rows)] == [GOOD, BAD]
    assert [one.verdict for one in judge_programs([])] == [BAD]


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ((Answer(Status.FOUND, ("192.0.2.1",)), Answer(Status.NODATA)), GOOD),
        ((Answer(Status.NODATA), Answer(Status.NODATA)), DOUBT),
        ((Answer(Status.NXDOMAIN), Answer(Status.NXDOMAIN)), DOUBT),
        ((Answer(Status.NODATA), Answer(Status.TIMED_OUT)), UNTOLD),
    ],
)
def test_a_name_that_nobody_finds_is_doubted(
    answers: tuple[Answer[str], Answer[str]], verdict: Verdict
) -> None:
    assert judge_name("mx.here.example", answers).verdict is verdict


def test_every_port_is_knocked_at_once(file: Path) -> None:
    file.write_text(file.read_text().replace("[relay]", '[relay]\nlisten_null = ["0.0.0.0:2526"]'))
    configuration = load_configuration(file)
    places = [str(place) for place in list_places(configuration)]
    assert str(configuration.submission_socket) in places
    assert {"127.0.0.1:2526", "127.0.0.1:2587", "127.0.0.1:2465"} <= set(places)
    assert len(set(places)) == len(places)


def test_P7_S8_A35_a_lax_server_is_found_out_by_every_part(tmp_path: Path) -> None:
    chain, key = write_certificate(tmp_path, "mx.here.example", end=datetime.now(UTC) + timedelta(days=1))
    with lax_server(chain, key) as port:
        result = run(
            "init",
            "--listen",
            f"127.0.0.1:{port}",
            "--submission-port",
            "0",
            "--submission-tls-port",
            "0",
            tmp_path / "here",
        )
        file = tmp_path / "here" / "paperpath.toml"
        text = file.read_text()
        file.write_text(f'{text}\n[dns]\nservers = ["127.0.0.1:1"]\ntimeout_s = 1\n')
        (load_configuration(file).data / "secrets").chmod(0o666)
        result = run("selftest", "--config", file, "--json")
        alone = run("selftest", "--config", file, "starttls")
    assert (result.exit_code, alone.exit_code) == (EX_FAULT, EX_FAULT)
    found = json.loads(result.output)
    faults = {
        name: [one for one in findings if one["verdict"] == "fault"] for name, findings in found.items()
    }
    assert {name for name, ones in faults.items() if ones} >= {
        "permissions",
        "configuration",
        "starttls",
        "smuggling",
        "relay",
    }
    assert {one["seen"].split(":")[0] for one in faults["starttls"]} == {
        "it was executed inside TLS",
        "it goes on inside TLS",
    }
    split = {one["tried"] for one in faults["smuggling"] if "split" in one["seen"]}
    assert f"127.0.0.1:{port}: \\n.\\r\\n inside a message" in split
    assert {
        one["verdict"]
        for one in found["configuration"]
        if one["tried"] == f"127.0.0.1:{port}: the certificate it shows"
    } == {"doubtful"}
    assert "it was executed inside TLS" in alone.output


def test_who_is_not_there_cannot_be_tried(file: Path) -> None:
    for part in ("smuggling", "starttls"):
        result = run("selftest", part, "--config", file)
        assert result.exit_code == os.EX_UNAVAILABLE, result.output
        assert "not tried" in result.output
