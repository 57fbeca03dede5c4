"""Which pages there are, and what stands in them: every command of the project, and every subcommand.

A command that click or argparse describes has its options from there, so that they are written once;
sendmail and mailto, which neither describes, have them in their texts. What else a text in docs/man has goes
behind.
"""

import argparse
import inspect
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import click

from manual.page import Block, Example, Item, Page, Paragraph, Section
from manual.text import parse_sections, parse_summary

ROOT = Path(__file__).parents[1]
TEXTS = ROOT / "docs" / "man"

_WAYS_IN = ("smtprd", "smtpsd")
_COMMANDS, _ADMINISTRATION = 1, 8  # volumes of the manual
_EXAMPLE = re.compile(r"^Example: (.*)", re.DOTALL | re.MULTILINE)


def list_pages() -> Iterator[Page]:
    """Give the page of every command that the project installs."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    for name, place in scripts.items():
        module_name, _, attribute = place.partition(":")
        module = import_module(module_name)
        command = _find_click(module, name, attribute)
        if command is None:
            yield _describe_plain(name, module)
        else:
            yield from _describe_click(command, name, None)


def _find_click(module: ModuleType, name: str, attribute: str) -> click.Command | None:
    """Return what click knows as the command: the function that is called, or what that calls in turn."""
    called, others = getattr(module, attribute), vars(module).values()
    found = (one for one in (called, *others) if isinstance(one, click.Command))
    return next((one for one in found if one is called or one.name == name), None)


def _describe_click(command: click.Command, name: str, parent: click.Context | None) -> Iterator[Page]:
    settings = command.context_settings
    context = click.Context(command, info_name=name.rpartition(" ")[2], parent=parent, **settings)
    text, example = _split_example(inspect.cleandoc(command.help or ""))
    parameters = (one for one in command.get_params(context) if isinstance(one, click.Option))
    records = (parameter.get_help_record(context) for parameter in parameters)
    options = [Item(*record) for record in records if record is not None]
    below: list[Block] = []
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            child = command.get_command(context, each)
            assert child is not None
            below.append(Item(f"{name} {each}", _summarize(inspect.cleandoc(child.help or ""))))
            yield from _describe_click(child, f"{name} {each}", context)
    usage = " ".join(command.collect_usage_pieces(context))
    sections = [
        Section("DESCRIPTION", _paragraphs(text)),
        Section("COMMANDS", tuple(below)),
        Section("OPTIONS", tuple(options)),
        Section("EXAMPLE", example),
    ]
    yield _put_together(name, _ADMINISTRATION, _summarize(text), (usage,), sections)


def _describe_plain(name: str, module: ModuleType) -> Page:
    """Describe a command that has a parser of argparse, or else nothing but its text."""
    if not hasattr(module, "make_parser"):
        text = _read_text(name)
        if not text:
            raise ValueError(f"docs/man/{name}.md is missing, and nothing else describes {name}")
        (synopsis,) = (section for section in parse_sections(text) if section.title == "SYNOPSIS")
        lines = tuple(line for block in synopsis.blocks if isinstance(block, Example) for line in block.lines)
        return _put_together(name, _COMMANDS, parse_summary(text), lines, [])
    parser: argparse.ArgumentParser = module.make_parser()
    actions = parser._actions  # noqa: SLF001 - argparse tells nobody else
    options = tuple(_describe_action(action) for action in actions if action.option_strings)
    _, example = _split_example(parser.epilog or "")
    description = parser.description or ""
    sections = [
        Section("DESCRIPTION", _paragraphs(description)),
        Section("OPTIONS", options),
        Section("EXAMPLE", example),
    ]
    usage = parser.format_usage().removeprefix(f"usage: {name} ")
    return _put_together(name, _COMMANDS, _summarize(description), (" ".join(usage.split()),), sections)


def _describe_action(action: argparse.Action) -> Item:
    argument = f" {action.metavar}" if action.metavar else ""
    return Item(f"{', '.join(action.option_strings)}{argument}", action.help or "")


def _put_together(
    name: str, volume: int, summary: str, synopsis: tuple[str, ...], sections: list[Section]
) -> Page:
    page = Page(name, volume, summary, synopsis, ())
    texts = [_read_text(page.name)]
    if name in _WAYS_IN:
        texts.append(_read_text("stdio"))
    if name.endswith("d"):  # a daemon, as its name says
        texts.append(_read_text("programs"))
    more = [section for text in texts for section in parse_sections(text) if section.title != "SYNOPSIS"]
    whole = tuple(section for section in (*sections, *more) if section.blocks)
    return Page(name, volume, summary, synopsis, whole)


def _read_text(name: str) -> str:
    file = TEXTS / f"{name}.md"
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _split_example(text: str) -> tuple[str, tuple[Block, ...]]:
    match = _EXAMPLE.search(text)
    if match is None:
        return text, ()
    return text[: match.start()], (Example((" ".join(match[1].split()),)),)


def _paragraphs(text: str) -> tuple[Block, ...]:
    return tuple(Paragraph(" ".join(part.split())) for part in re.split(r"\n\s*\n", text) if part.strip())


def _summarize(text: str) -> str:
    """Return what a text begins with, as a line of a list of commands."""
    first = " ".join(text.partition("\n\n")[0].split())
    words = re.split(r"[.;](?: |$)", first)[0]
    return words[:1].lower() + words[1:]
