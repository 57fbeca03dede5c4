"""Completion of `paperpath` in shells, as its man page says to set it up."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from paperpath.commands.paperpath import main
from tests.support.installation import program_path

SHELLS = ("bash", "zsh", "fish")
PAGE = Path(__file__).parents[3] / "docs" / "man" / "paperpath.md"


def ask(instruction: str, **environment: str) -> str:
    """Call `paperpath` as a shell does."""
    called = CliRunner().invoke(
        main, env={"_PAPERPATH_COMPLETE": instruction, **environment}, prog_name="paperpath"
    )
    assert called.exit_code == 0, called.output
    return called.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_the_man_page_names_what_click_listens_to(shell: str) -> None:
    assert f"_PAPERPATH_COMPLETE={shell}_source paperpath > " in PAGE.read_text(encoding="utf-8")
    assert f"_PAPERPATH_COMPLETE={shell}_complete" in ask(f"{shell}_source")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("que", ["queue"]),
        ("queue re", ["release", "remove", "reroute", "retry"]),
        ("queue list --state h", ["held"]),
        ("bench s", ["send", "sink"]),
        ("bench 127.0.0.1:25 --rat", ["--rate"]),
        ("queue list --older", ["--older-than"]),
    ],
)
def test_commands_options_and_values_are_completed(typed: str, offered: list[str]) -> None:
    words = f"paperpath {typed}"
    answer = ask("bash_complete", COMP_WORDS=words, COMP_CWORD=str(words.count(" ")))
    assert sorted(line.removeprefix("plain,") for line in answer.splitlines()) == offered


@pytest.mark.slow
def test_a_real_bash_completes(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not there")
    (tmp_path / "completion").write_text(ask("bash_source"))
    script = """
        . ./completion
        COMP_WORDS=(paperpath que) COMP_CWORD=1
        function=$(complete -p paperpath | sed -E 's/.* -F ([^ ]+) .*/\\1/')
        $function paperpath
        echo "${COMPREPLY[@]}"
    """
    path = f"{Path(program_path('paperpath')).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [bash, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("queue\n", "")
