"""Invariant: any text is a configuration, or its mistakes can be shown and have a line that is there."""

from pathlib import Path

from paperpath.config.advice import find_warnings
from paperpath.config.loader import ConfigurationError, Problem, parse_configuration
from paperpath.config.tables import Configuration
from tests.fuzz.pace import at_pace
from tests.unit.config.example import RIGHT

MOST_OCTETS = 4096
WORDS = (
    *RIGHT.encode().split(b"\n"), b"[[post_office.route]]\n", b'domain = "*"\nvia = "mx"\n', b"[local]\n",
    b"root = ", b"threads = 1\n", b"[tls]\n",
    b"[[tls.certificate]]\n", b"chain = ", b"key = ", b"maildrop = ",
    b"data = ", b"size = ", b'"50 MiB"', b'"""', b"'''", b"\\u00e9", b"[", b"]", b"{", b"}", b".", b"=", b"#",
    b"inf",    b"1979-05-27 07:32:00", b"0x", b"domains = [", b'"xn--"', b'".example"', b"idle_timeout_s = ",
    b"processes = ", b"spool = ", b"most_recipients = ",
)  # fmt: skip
_PATH = Path("/nowhere/paperpath.toml")


def check(octets: bytes) -> None:
    """Read it as the file's text."""
    text = octets.decode("utf-8", "replace")
    at_pace(lambda: check_text(text), len(text), 500)


def check_text(text: str) -> None:
    """Read it, and look at what is said about it."""
    problems, configuration = read(text)
    for problem in problems:
        assert problem.line is None or 1 <= problem.line <= text.count("\n") + 1
        assert str(problem).isprintable()
    assert (configuration is None) is bool(problems)
    if configuration is not None:
        assert read(text) == ((), configuration)
        assert configuration.data.is_absolute()
        assert all(warning.isprintable() for warning in find_warnings(configuration))


def read(text: str) -> tuple[tuple[Problem, ...], Configuration | None]:
    """Read it; return what is wrong with it, or what it says."""
    try:
        return (), parse_configuration(text, _PATH)
    except ConfigurationError as error:
        return error.problems, None
