"""The page that says what is proved is true."""

from tests.support.requirements import OWNED, PAGE, find_proofs, read_remarks, render


def test_the_page_names_the_tests_that_there_are() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert render(page) == page, "run: .venv/bin/python -m tests.support.requirements"


def test_what_no_test_names_has_a_reason() -> None:
    proofs, remarks = find_proofs(), read_remarks(PAGE.read_text(encoding="utf-8"))
    assert [requirement for requirement in OWNED if requirement not in proofs | remarks] == []
    assert [
        requirement for requirement in OWNED if requirement not in proofs and not remarks[requirement]
    ] == []
