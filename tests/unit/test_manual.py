"""The man pages: one for every command, with every option, and nothing that man chokes on."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import click
import pytest
from hatchling.builders.wheel import WheelBuilder
from hypothesis import given
from hypothesis import strategies as st
from manual.page import Example, Item, Page, Paragraph, Section
from manual.roff import render
from manual.sources import ROOT, list_pages
from manual.text import parse_sections, parse_summary

from paperpath.commands import mailq, mailto_options, newaliases, sendmail_options
from paperpath.commands.paperpath import main

PAGES = {page.command: page for page in list_pages()}


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            child = command.get_command(context, each)
            assert child is not None
            yield from commands(child, f"{name} {each}")


HOSTILE = """\
## SECTION
.so /etc/passwd and `-x ~ \\fB`

- `-y`, `--yes="it's"`: 'tis
  so

    .RE
    \\n[x]
"""

SUBCOMMANDS = dict(commands(main, "paperpath"))


def terms(page: Page) -> set[str]:
    """Return every option that a page explains."""
    items = [block.term for section in page.sections for block in section.blocks if isinstance(block, Item)]
    return {found for item in items for found in re.findall(r"(?:^|(?<=[ ,]))--?[A-Za-z0-9][a-z0-9-]*", item)}


def test_every_command_that_is_installed_has_a_page() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert set(scripts) | set(SUBCOMMANDS) == set(PAGES)
    for page in PAGES.values():
        assert page.summary
        assert page.synopsis
        assert any(section.title == "DESCRIPTION" for section in page.sections)


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_option_of_every_subcommand_is_in_its_page(name: str) -> None:
    options = [
        option
        for parameter in SUBCOMMANDS[name].params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
    ]
    assert {*options, "-h", "--help"} <= terms(PAGES[name])


@pytest.mark.parametrize("module", [mailq, newaliases])
def test_every_option_of_the_quick_commands_is_in_its_page(module: object) -> None:
    parser = module.make_parser()  # type: ignore[attr-defined]
    options = {option for action in parser._actions for option in action.option_strings}
    assert options == terms(PAGES[parser.prog])


def test_every_letter_of_sendmail_is_in_its_page() -> None:
    letters = sendmail_options._FLAGS | sendmail_options._WITH_ARGUMENT | sendmail_options._WITH_REST
    assert {f"-{letter}" for letter in letters} <= terms(PAGES["sendmail"])


def test_every_option_of_mailto_is_in_its_page() -> None:
    letters = mailto_options.LETTERS.replace(":", "")
    assert {*(f"-{letter}" for letter in letters), "--help"} == terms(PAGES["mailto"])


@pytest.mark.parametrize("name", PAGES)
def test_groff_has_nothing_to_complain_of(name: str) -> None:
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not there")
    assert format_page(groff, render(PAGES[name])).startswith(PAGES[name].name.upper())


def test_the_wheel_has_the_pages_where_man_looks_for_them(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("src", "manual"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for pages, wanted in ((None, []), ("man8", ["share/man/man8/smtpsd.8"])):
        if pages is not None:
            (tmp_path / "man" / pages).mkdir(parents=True)
            (tmp_path / "man" / pages / "smtpsd.8").write_text("")
        (wheel,) = WheelBuilder(str(tmp_path)).build(directory=str(tmp_path / "dist"))
        data = [name.partition(".data/data/")[2] for name in ZipFile(wheel).namelist()]
        assert [name for name in data if name] == wanted


def format_page(groff: str, text: str) -> str:
    done = subprocess.run(
        [groff, "-man", "-ww", "-Kutf8", "-Tutf8", "-P-cbou"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.lstrip()


def test_what_a_text_says_is_shown_as_it_is() -> None:
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not there")
    page = Page("x y", 1, "z", ("[-a]",), parse_sections(HOSTILE))
    shown = format_page(groff, render(page)).replace("‐", "-")
    for line in (
        ".so /etc/passwd and -x ~ \\fB",
        '-y, --yes="it\'s"',
        "'tis so",
        ".RE",
        "\\n[x]",
        "x y [-a]",
    ):
        assert line in shown


@given(st.text(st.characters(blacklist_categories=["Cc", "Cs"])))
def test_no_text_becomes_a_request(text: str) -> None:
    page = Page("x", 1, "z", (), (Section("S", (Paragraph(text), Item(text, text), Example((text,)))),))
    requests = [line for line in render(page).split("\n") if line.startswith((".", "'"))]
    assert {line.split()[0] for line in requests} == {".TH", ".SH", ".PP", ".TP", ".RS", ".nf", ".fi", ".RE"}


def test_a_text_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="TERM"):
        parse_sections("## S\n- no term: x\n")
    with pytest.raises(ValueError, match="first line"):
        parse_summary("## S\n")
