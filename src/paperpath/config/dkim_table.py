"""The table [dkim]: with which keys mail of which authors is signed.

Like tables.py, whose `Configuration` holds it.
"""

import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, PlainValidator, Strict, model_validator

from paperpath.config.domain import FULL_DOMAIN_EXPECTED
from paperpath.config.fields import FileField, FullDomainField, Table
from paperpath.config.places import FILE_EXPECTED
from paperpath.mail.domain import domain_key

MOST_KEYS = 1000
SELECTOR_EXPECTED = 'a selector, such as "s2026" or "2026.mail": labels of letters, digits and hyphens'
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_SELECTOR = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")  # RFC 6376 §3.1
_MOST_SELECTOR_OCTETS = 100


def parse_selector(text: object) -> str:
    """Return a selector in lower case. Raises: ValueError, whose text says what was expected."""
    if not isinstance(text, str) or len(text) > _MOST_SELECTOR_OCTETS or not _SELECTOR.fullmatch(text):
        raise ValueError(f"expected {SELECTOR_EXPECTED}")
    return text.lower()


class DkimKeyEntry(Table):
    """[[dkim.key]]: a private key, for whom it signs, and where its other half stands in the DNS."""

    domain: FullDomainField = Field(description=FULL_DOMAIN_EXPECTED)
    """The domain of the authors, and of the signature."""
    selector: Annotated[str, PlainValidator(parse_selector)] = Field(description=SELECTOR_EXPECTED)
    file: FileField = Field(description=FILE_EXPECTED)
    subdomains: bool = Field(default=False, description="true or false")
    """Whether it signs for authors below the domain too that have no entry of their own."""

    @property
    def name(self) -> str:
        """Where in the DNS its record stands, in A-labels."""
        return f"{self.selector}._domainkey.{domain_key(self.domain)}"


class DkimTable(Table):
    """[dkim], for whatever puts messages of this site into the maildrop."""

    key: Annotated[tuple[DkimKeyEntry, ...], Strict(False)] = Field(
        default=(), max_length=MOST_KEYS, description=f"at most {MOST_KEYS} tables [[dkim.key]]"
    )
    """Several for one domain sign all, in this order; a message is signed if there is one for its author."""

    @model_validator(mode="after")
    def _are_names_unlike(self) -> Self:
        names = [entry.name for entry in self.key]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"expected one key for each name in the DNS; {twice} has several")
        return self


def anchor_keys(table: DkimTable, folder: Path) -> DkimTable:
    """Make paths absolute that are relative to a folder."""
    keys = tuple(entry.model_copy(update={"file": folder / entry.file}) for entry in table.key)
    return table.model_copy(update={"key": keys})
