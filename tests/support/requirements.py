"""Which test proves which requirement: read from the tests, written into docs/rfc-status.md.

A test names what it proves: in its name (`test_A35_...`), in a docstring or comment (`A-35`, `A-20 to A-29`),
in the heading of a dialogue file. `python -m tests.support.requirements` writes the page, a test compares.
"""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "rfc-status.md"
_PLACES = (ROOT / "tests", ROOT / "src" / "paperpath" / "testing")
_IN_TEXT = re.compile(r"\b([A-LSX])-(\d+)(?: to \1-(\d+))?\b")
_IN_NAMES = re.compile(r"\bdef (test(?:_[A-Z]\d+)+)_")
_ROW = re.compile(r"\| ([A-Z]-\d+) \| (.*) \| (.*) \|")
# What the work done so far owns, in the order of the page.
OWNED = (
    *(f"A-{number}" for number in (*range(1, 83), *range(84, 93), 98, 99, 101, 102)),
    *(f"B-{number}" for number in range(1, 29)),
    *(f"C-{number}" for number in range(1, 27)),
    *(f"D-{number}" for number in range(1, 19)),
    *(f"E-{number}" for number in (*range(1, 14), *range(16, 20))),
    *(f"F-{number}" for number in range(1, 17)),
    *(f"G-{number}" for number in (*range(1, 38), 39)),
    *(f"H-{number}" for number in (*range(1, 19), 20, *range(22, 26))),
    *(f"I-{number}" for number in (*range(1, 11), 21, 22)),
    *(f"J-{number}" for number in range(1, 28)),
    *(f"K-{number}" for number in range(1, 31)),
    *(f"S-{number}" for number in range(1, 13)),
    *(f"X-{number}" for number in (5, 8, 9, 12)),
    *(f"L-{number}" for number in range(1, 8)),
)
_ON_THIS_PAGE = "tests/support/requirements.py"


def find_proofs() -> dict[str, list[str]]:
    """Return the files that name each requirement, by its id."""
    proofs: dict[str, list[str]] = {}
    for place in _PLACES:
        for file in sorted((*place.rglob("*.py"), *place.rglob("*.txt"))):
            name = str(file.relative_to(ROOT))
            if name == _ON_THIS_PAGE or "/corpus/" in name:
                continue
            for requirement in sorted(set(_find_ids(file.read_text(encoding="utf-8")))):
                proofs.setdefault(requirement, []).append(name)
    return proofs


def read_remarks(page: str) -> dict[str, str]:
    """Return what people wrote beside the requirements."""
    return {row[1]: row[3].strip() for row in map(_ROW.fullmatch, page.splitlines()) if row is not None}


def render(page: str) -> str:
    """Return the page with its table made anew; everything around it, and the remarks, stay."""
    proofs, remarks = find_proofs(), read_remarks(page)
    rows = [
        f"| {requirement} | {'<br>'.join(proofs.get(requirement, []))} | {remarks.get(requirement, '')} |"
        for requirement in OWNED
    ]
    lines = page.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("| --- |"))
    last = max(number for number, line in enumerate(lines) if line.startswith("|"))
    return "\n".join([*lines[: first + 1], *rows, *lines[last + 1 :]]) + "\n"


def _find_ids(text: str) -> Iterator[str]:
    for room, first, last in _IN_TEXT.findall(text):
        for number in range(int(first), int(last or first) + 1):
            yield f"{room}-{number}"
    for name in _IN_NAMES.findall(text):
        for part in name.split("_")[1:]:
            yield f"{part[0]}-{part[1:]}"


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
