"""Nothing is announced without a test that it works; docs/imap-states.md says which."""

import re
from dataclasses import replace
from pathlib import Path

from paperpath.imap.capabilities import announce_to_known, announce_to_stranger
from paperpath.imap.imapd import CARRIED_OUT
from paperpath.imap.settings import Settings
from paperpath.smtp.sasl import EXTERNAL, MECHANISMS

ROOT = Path(__file__).parents[3]
_ROW = re.compile(r"\| `(\S+)` \| `(\S+)` \|")
SETTINGS = Settings(
    "imap.here.example",
    1000,
    extensions=CARRIED_OUT,
    tls=True,
    mechanisms=tuple(name for name in MECHANISMS if name != EXTERNAL),
)


def read_table() -> dict[str, str]:
    page = (ROOT / "docs" / "imap-states.md").read_text(encoding="utf-8")
    return dict(_ROW.findall(page.partition("## What is announced")[2]))


def announced() -> set[str]:
    lines = [
        *(announce_to_stranger(SETTINGS, encrypted=encrypted) for encrypted in (False, True)),
        *(announce_to_known(SETTINGS, compressed=compressed) for compressed in (False, True)),
    ]
    return {re.sub(r"(?<=^APPENDLIMIT)=.*", "", word) for line in lines for word in line.split()}


def test_K1_K22_K27_each_capability_has_its_test() -> None:
    assert announced() == read_table().keys()


def test_the_tests_of_capabilities_are_there() -> None:
    for capability, proof in read_table().items():
        file, _, function = proof.partition("::")
        text = (ROOT / file).read_text(encoding="utf-8")
        assert not function or f"def {function}(" in text, capability


def test_K8_literals_are_announced_in_one_of_two_ways() -> None:
    for line in (
        announce_to_stranger(SETTINGS, encrypted=True),
        announce_to_known(SETTINGS, compressed=False),
    ):
        assert ("LITERAL+" in line.split()) != ("LITERAL-" in line.split())


def test_K2_in_the_clear_there_is_no_way_in() -> None:
    words = announce_to_stranger(SETTINGS, encrypted=False).split()
    assert {"STARTTLS", "LOGINDISABLED"} <= set(words)
    assert not any(word.startswith("AUTH=") for word in words)
    assert "STARTTLS" not in announce_to_stranger(replace(SETTINGS, tls=False), encrypted=False).split()
    assert "STARTTLS" not in announce_to_stranger(SETTINGS, encrypted=True).split()
