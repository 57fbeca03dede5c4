"""What tcpsrun runs, as people write it down: words, marks, and no shell."""

from pathlib import Path

import pytest

from paperpath.commands.run_file import Marks, RunFileError, load_run_file, parse_command, substitute

MARKS = Marks(25, "/etc/run", 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("smtprd --stdio", ("smtprd", "--stdio")),
        ("# ours\n\nsmtprd   --stdio # one\n  --access %4\n", ("smtprd", "--stdio", "--access", "%4")),
        ("'a b' \"c'd\" e\\ f ''", ("a b", "c'd", "e f", "")),
        ("a; rm -rf / | $(b) `c` *", ("a;", "rm", "-rf", "/", "|", "$(b)", "`c`", "*")),
        ("b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher", ("bücher",)),
    ],
)
def test_L12_words_are_as_a_shell_reads_them_and_no_more(text: str, words: tuple[str, ...]) -> None:
    assert parse_command(text) == words


@pytest.mark.parametrize("text", ["", "\n# nothing\n", "''", "a 'b", 'a "b', "a \\"])
def test_L12_what_is_no_command_is_refused(text: str) -> None:
    with pytest.raises(RunFileError):
        parse_command(text)


def test_L12_marks_stand_for_facts() -> None:
    words = ("%1", "a%2b", "%3", "--access=%4", "100%%", "%%4", "%4%4")
    assert substitute(words, MARKS) == ("25", "a/etc/runb", "0", "--access=1", "100%", "%4", "11")


@pytest.mark.parametrize("word", ["%", "%5", "%s", "%%%", "a%\n"])
def test_L12_other_marks_are_mistakes(word: str) -> None:
    with pytest.raises(RunFileError, match="stands for nothing"):
        substitute((word,), MARKS)


def test_L12_without_rules_there_is_no_level() -> None:
    with pytest.raises(RunFileError, match="no rules"):
        substitute(("%4",), Marks(25, "", None))


def test_L4_a_file_that_everybody_may_write_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "run"
    file.write_text("true")
    file.chmod(0o646)
    with pytest.raises(RunFileError, match=f"{file}: every user of this host may write it"):
        load_run_file(file)
    file.chmod(0o644)
    assert load_run_file(file) == ("true",)
    with pytest.raises(RunFileError, match="cannot be read"):
        load_run_file(tmp_path / "none")
