"""`paperpath dkim`: keys that sign, and the records that hold their other halves; edits the configuration.

A key is in its file before the configuration names it, so no program meets one that is missing; where the
configuration cannot be edited, the file goes again.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from paperpath.commands.edited_configuration import put_edited
from paperpath.commands.options import fail, load, load_with_text
from paperpath.config.dkim_editing import add_dkim_key
from paperpath.config.dkim_table import DkimKeyEntry, parse_selector
from paperpath.config.domain import parse_full_domain
from paperpath.config.edited_text import EditError
from paperpath.config.loader import Document
from paperpath.dkim.keys import ADVISED_BITS, cut_strings, make_ed25519_key, make_rsa_key
from paperpath.mail.domain import domain_key
from paperpath.service.errors import ServiceError
from paperpath.service.new_signing_keys import drop_signing_key, store_signing_key
from paperpath.service.privileges import find_identity
from paperpath.service.program import config_option
from paperpath.service.signing_keys import read_signing_key

_MOST_BITS = 4096  # more, and verifiers need not look at it (RFC 8301 §3.2)
_RSA, _ED25519 = "rsa", "ed25519"


@click.group()
def dkim() -> None:
    """Make keys that sign mail, and print their DNS records; `paperpath reload` puts them in force.

    Example: paperpath dkim new example.org
    """


@dkim.command()
@config_option
@click.argument("domain", metavar="DOMAIN")
@click.option("--selector", help="The record's name before ._domainkey; by default the kind and the month.")
@click.option(
    "--type", "kind", type=click.Choice([_RSA, _ED25519]), default=_RSA, show_default=True, help="What kind."
)
@click.option("--bits", type=click.IntRange(ADVISED_BITS, _MOST_BITS), help="Of an RSA key.  [default: 2048]")
def new(file: Path, domain: str, selector: str | None, kind: str, bits: int | None) -> None:
    """Make a key for mail from authors of DOMAIN, name it in the configuration, and print its record.

    Publish the record before `paperpath reload`, which begins to sign. Nothing is overwritten: a selector
    that has a key already is refused.

    Example: paperpath dkim new example.org
    """
    if kind == _ED25519 and bits is not None:
        fail("--bits: an Ed25519 key has none to choose", os.EX_USAGE)
    old = load_with_text(file)
    entry = _choose_entry(old, domain, selector or f"{kind}-{datetime.now(UTC):%Y-%m}")
    pem = make_ed25519_key() if kind == _ED25519 else make_rsa_key(bits or ADVISED_BITS)
    try:
        _put(old, entry, pem)
        record = _describe(entry)
    except (ServiceError, EditError) as error:
        fail(error, error.exit_code if isinstance(error, ServiceError) else os.EX_DATAERR)
    click.echo("publish this record, then: paperpath reload")
    click.echo(_write_line(record))


@dkim.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def show(file: Path, as_json: bool) -> None:
    """Print the records of all keys, as lines of a zone file; exit 78 where a key cannot be used.

    Example: paperpath dkim show --json
    """
    records, mistakes = [], []
    for entry in load(file).dkim.key:
        try:
            records.append(_describe(entry))
        except ServiceError as error:
            mistakes.append(str(error))
    if as_json:
        click.echo(json.dumps(records, indent=2))
    else:
        for record in records:
            click.echo(_write_line(record))
    if mistakes:
        fail("\n".join(mistakes), os.EX_CONFIG)


def _choose_entry(old: Document, domain: str, selector: str) -> DkimKeyEntry:
    """Return the entry of a new key, whose name in the DNS is free; exit where there is none."""
    folder = old.configuration.dkim_folder
    try:
        domain, selector = parse_full_domain(domain), parse_selector(selector)
    except ValueError as error:
        fail(error, os.EX_USAGE)
    file = folder / f"{selector}._domainkey.{domain_key(domain)}.pem"
    entry = DkimKeyEntry.model_construct(domain=domain, selector=selector, file=file)
    if entry.name in [known.name for known in old.configuration.dkim.key]:
        fail(f"{entry.name} has a key already; choose another --selector", os.EX_CANTCREAT)
    return entry


def _put(old: Document, entry: DkimKeyEntry, pem: str) -> None:
    """Store a key and name it in the configuration. Raises: ServiceError; EditError."""
    folder = old.path.parent.absolute()
    inside = entry.file.is_relative_to(folder)
    named = entry.file.relative_to(folder) if inside else entry.file
    edited = add_dkim_key(old.text, entry.domain, entry.selector, str(named))
    identity = find_identity(old.configuration.user)
    store_signing_key(entry.file, pem, identity)
    try:
        put_edited(old, edited)
    except BaseException:
        if old.path.read_bytes() != edited.text.encode():  # it may be in place, and only be told to nobody
            drop_signing_key(entry.file, identity)
        raise


def _describe(entry: DkimKeyEntry) -> dict[str, Any]:
    """Return what is told of a key. Raises: ServiceError, where it cannot be used."""
    record = read_signing_key(entry).record
    return {
        "domain": entry.domain,
        "selector": entry.selector,
        "file": str(entry.file),
        "name": entry.name,
        "record": record,
        "strings": cut_strings(record),
    }


def _write_line(record: dict[str, Any]) -> str:
    """Write a record as a zone file has it."""
    strings = " ".join(f'"{string}"' for string in record["strings"])
    return f"{record['name']}. IN TXT ( {strings} )"
