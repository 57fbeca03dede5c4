"""docs/security.md and docs/testing.md name tests that there are, and leave out no attack."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("docs/security.md", "docs/testing.md")
ATTACKS = [*(f"S-{number}" for number in range(1, 13)), *(f"L-{number}" for number in range(1, 8))]
_NAMED = re.compile(r"`(tests/[\w./-]+)(?:::(\w+))?`")


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def is_there(file: str, test: str) -> bool:
    path = ROOT / file
    if not test:
        return path.exists()
    return path.is_file() and re.search(rf"\bdef {test}\(", path.read_text(encoding="utf-8")) is not None


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_a_page_names_exists(page: str) -> None:
    named = _NAMED.findall(read(page))
    assert named
    assert [f"{file}::{test}" for file, test in named if not is_there(file, test)] == []


def test_every_attack_has_its_place_and_a_test() -> None:
    sections = re.split(r"^### ", read("docs/security.md"), flags=re.MULTILINE)[1:]
    by_attack = {section.partition(":")[0]: section for section in sections}
    assert [attack for attack in by_attack if re.fullmatch(r"[SL]-\d+", attack)] == ATTACKS
    assert [attack for attack in ATTACKS if not _NAMED.search(by_attack[attack])] == []


def test_what_is_not_there_is_noticed() -> None:
    assert not is_there("tests/unit/test_security_page.py", "test_nothing")
    assert not is_there("tests/unit/nothing.py", "test_nothing")
