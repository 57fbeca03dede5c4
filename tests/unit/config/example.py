"""A small configuration that is right, for tests to change."""

from pathlib import Path

from paperpath.config.loader import ConfigurationError, parse_configuration
from paperpath.config.tables import Configuration

FILE = Path("paperpath.toml")

RIGHT = """\
hostname = "mail.example.org"

[relay]
listen = ["127.0.0.1:2525"]

[post_office]
postmaster = "me@example.org"
"""


def configure(text: str = RIGHT) -> Configuration:
    return parse_configuration(text, FILE)


def complain(text: str) -> list[str]:
    """Return what is shown of the problems in a text that is not right."""
    try:
        configure(text)
    except ConfigurationError as error:
        return str(error).split("\n")
    raise AssertionError("the text was taken")
