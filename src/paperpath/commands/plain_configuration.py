"""The configuration as commands read it that answer at once: by tomllib, without the models of config.tables.

Called by sendmail, mailto, mailq and newaliases, for any user of this host. Programs that call these give no
option for the file, so it is found without one. Only the keys that these commands need are looked at, by the
parsers that the models have; whatever else is wrong with the file is for `paperpath check`.
"""

import os
import stat
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from paperpath.commands.exits import Exit, ExitError
from paperpath.config.domain import (
    DOMAIN_EXPECTED,
    FULL_DOMAIN_EXPECTED,
    HOSTNAME_EXPECTED,
    POSTMASTER_EXPECTED,
    DomainPattern,
    parse_domain_pattern,
    parse_full_domain,
    parse_hostname,
    parse_postmaster,
)
from paperpath.config.endpoint import ENDPOINT_EXPECTED, LocalSocket, Place, parse_endpoint
from paperpath.config.octets import parse_octets
from paperpath.config.parsed import look_up
from paperpath.config.places import (
    DATA_EXPECTED,
    DROP_NAME,
    FILE_EXPECTED,
    RUN_NAME,
    SUBMISSION_NAME,
    parse_file,
    parse_folder,
)

VARIABLE = "PAPERPATH_CONFIG"
DEFAULT_FILE = Path("/etc/paperpath/paperpath.toml")
DEFAULT_DROP_OCTETS = 50 * 2**20
WHEN_DOWN_EXPECTED = '"fail" or "drop"'

_Value = TypeVar("_Value")
_Read = Callable[[object], _Value]


@dataclass(frozen=True, slots=True)
class PlainCanonical:
    """[canonical]; see `config.intake_tables.CanonicalTable`. `domain` and `shown` have their defaults."""

    domain: str
    parent: str
    is_strict: bool
    hidden: tuple[DomainPattern, ...]
    shown: str
    users: Path | None
    encode_8bit: bool


@dataclass(frozen=True, slots=True)
class PlainConfiguration:
    """What the commands need of the file; paths are absolute.

    `submission`: where smtpsd is, the socket of this host's users or else where it listens; empty where there
    is no such table. `binds_senders`: the envelope's sender must be who one is. `drops_when_down`: without
    smtpsd, sendmail leaves mail in the drop directory.
    """

    file: Path
    hostname: str
    data: Path
    submission: tuple[Place, ...]
    binds_senders: bool
    canonical: PlainCanonical
    drop_octets: int
    aliases: Path | None
    drops_when_down: bool

    @property
    def run_folder(self) -> Path:
        """The folder of the sockets."""
        return self.data / RUN_NAME

    @property
    def drop_folder(self) -> Path:
        """The directory where people of this host leave mail for the maildrop."""
        return self.data / DROP_NAME


class _MistakeError(Exception):
    def __init__(self, keys: tuple[str, ...], complaint: str) -> None:
        super().__init__(f"{'.'.join(keys)}: {complaint}")


def find_configuration(environment: Mapping[str, str]) -> Path:
    """Return the file: what PAPERPATH_CONFIG says, else the one in /etc.

    Never one in the current folder: where a program calls sendmail, that may be anybody's.
    """
    return Path(environment.get(VARIABLE) or DEFAULT_FILE).absolute()


def load_plain(file: Path) -> PlainConfiguration:
    """Read the file; one that every user of the host may write is refused (attack L-4).

    Raises: ExitError, to exit with 78.
    """
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            text = opened.read().decode("utf-8")
        if mode & stat.S_IWOTH:
            raise ExitError(Exit.CONFIGURATION, f"{file}: every user of this host may write it")
        return parse_plain(tomllib.loads(text), file)
    except OSError as error:
        raise ExitError(Exit.CONFIGURATION, f"{file}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # no UTF-8, no TOML, or nested without end
        raise ExitError(Exit.CONFIGURATION, f"{file}: cannot be read: {error}") from error
    except _MistakeError as error:
        raise ExitError(Exit.CONFIGURATION, f"{file}: {error}") from error


def parse_plain(document: dict[str, Any], file: Path) -> PlainConfiguration:
    """Take out of a parsed document what the commands need; `file` is where it lies."""

    def take(read: _Read[_Value], default: _Value, *keys: str) -> _Value:
        value = look_up(document, *keys)
        try:
            return default if value is None else read(value)
        except ValueError as error:
            raise _MistakeError(keys, str(error)) from error

    def need(read: _Read[_Value], *keys: str) -> _Value:
        value = take(read, None, *keys)
        if value is None:
            raise _MistakeError(keys, "it is missing")
        return value

    folder = file.parent
    data = folder / take(_text(parse_folder, DATA_EXPECTED), Path("data"), "data")
    postmaster = need(_text(parse_postmaster, POSTMASTER_EXPECTED), "post_office", "postmaster")
    domain = take(_FULL_DOMAIN, postmaster.rpartition("@")[2], "canonical", "domain")
    users = take(_FILE, None, "canonical", "users")
    aliases = take(_FILE, None, "post_office", "aliases")
    return PlainConfiguration(
        file=file,
        hostname=need(_text(parse_hostname, HOSTNAME_EXPECTED), "hostname"),
        data=data,
        submission=_list_places(take, document, data),
        binds_senders=take(_read_flag, False, "submission", "own_senders"),
        canonical=PlainCanonical(
            domain=domain,
            parent=take(_FULL_DOMAIN, "", "canonical", "parent"),
            is_strict=take(_read_flag, True, "canonical", "strict"),
            hidden=take(_array(parse_domain_pattern, DOMAIN_EXPECTED), (), "canonical", "hidden"),
            shown=take(_FULL_DOMAIN, domain, "canonical", "shown"),
            users=users and folder / users,
            encode_8bit=take(_read_flag, False, "canonical", "encode_8bit"),
        ),
        drop_octets=take(parse_octets, DEFAULT_DROP_OCTETS, "drop", "size"),
        aliases=aliases and folder / aliases,
        drops_when_down=take(_read_when_down, False, "sendmail", "when_down"),
    )


def _list_places(take: Callable[..., Any], document: dict[str, Any], data: Path) -> tuple[Place, ...]:
    """Return where to go. Not from one to the other: over TCP nobody is known, and so nobody is let in."""
    if look_up(document, "submission") is None:
        return ()
    endpoints: tuple[Place, ...] = take(_array(parse_endpoint, ENDPOINT_EXPECTED), (), "submission", "listen")
    is_local = take(_read_flag, True, "submission", "listen_local")
    return (LocalSocket(data / RUN_NAME / SUBMISSION_NAME),) if is_local else endpoints


def _text(parse: Callable[[str], _Value], expected: str) -> _Read[_Value]:
    def read(value: object) -> _Value:
        if not isinstance(value, str):
            raise ValueError(f"expected {expected}")
        return parse(value)

    return read


def _array(parse: Callable[[str], _Value], expected: str) -> _Read[tuple[_Value, ...]]:
    read = _text(parse, expected)

    def read_all(value: object) -> tuple[_Value, ...]:
        if not isinstance(value, list):
            raise ValueError(f"expected an array of {expected}")
        return tuple(map(read, value))

    return read_all


def _read_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("expected true or false")
    return value


def _read_when_down(value: object) -> bool:
    """Tell whether mail is dropped."""
    if value not in ("fail", "drop"):
        raise ValueError(f"expected {WHEN_DOWN_EXPECTED}")
    return value == "drop"


_FULL_DOMAIN = _text(parse_full_domain, FULL_DOMAIN_EXPECTED)
_FILE: _Read[Path | None] = _text(parse_file, FILE_EXPECTED)
