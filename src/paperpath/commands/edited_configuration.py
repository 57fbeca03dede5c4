"""An edited configuration checked, then put whole into the old one's place."""

import os
from pathlib import Path

import click

from paperpath.commands.check import examine
from paperpath.commands.options import fail
from paperpath.config.edited_text import Edited
from paperpath.config.loader import ConfigurationError, Document, parse_document
from paperpath.service.durable import replace_text


def put_edited(old: Document, edited: Edited) -> None:
    """Check what an edit made as `paperpath check` does, replace the file, and say what was done.

    Exit where anything is wrong; then the file is as it was.
    """
    warnings = _check(old.path, edited.text)
    _replace(old.path, edited.text)
    for line in (*edited.done, *(f"left as it is: {mention}" for mention in edited.left)):
        click.echo(f"{old.path}: {line}")
    for warning in warnings:
        click.echo(f"{old.path}: warning: {warning}", err=True)


def _check(file: Path, text: str) -> list[str]:
    """Return what is doubtful in a new text; exit where it is wrong."""
    try:
        errors, warnings = examine(parse_document(text, file))
    except ConfigurationError as error:
        errors, warnings = [str(problem) for problem in error.problems], []
    for line in errors:
        click.echo(line, err=True)
    if errors:
        fail(f"{file}: left as it was", os.EX_CONFIG)
    return [warning.message for warning in warnings]


def _replace(path: Path, text: str) -> None:
    """Put the new file in the old one's place; where that is a link, in the place that it leads to."""
    try:
        file = path.resolve()
        replace_text(file, text, like=file.stat())
    except OSError as error:
        fail(f"{path}: {error.strerror}", os.EX_NOPERM)
