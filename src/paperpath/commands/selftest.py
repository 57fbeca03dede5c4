"""`paperpath selftest`: whether what runs does what it should not, and lies where it is safe.

Each part is a command too, and has a module of its own, selftest_NAME.py. All are harmless: nothing is
changed or left behind, and a message is begun only if it is one that must be refused.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from inspect import cleandoc
from pathlib import Path

import click

from paperpath.commands.options import become_owner, fail, load_as_owner, load_with_text
from paperpath.commands.selftest_configuration import try_configuration
from paperpath.commands.selftest_dialogue import UnreachableError
from paperpath.commands.selftest_durability import try_disks
from paperpath.commands.selftest_ends import Ends, find_ends
from paperpath.commands.selftest_findings import EX_FAULT, Finding, Verdict, choose_exit, describe, show
from paperpath.commands.selftest_permissions import try_permissions
from paperpath.commands.selftest_relay import describe_visit, show_visit, summarize, visit_all
from paperpath.commands.selftest_smuggling import try_variants
from paperpath.commands.selftest_starttls import try_starttls
from paperpath.commands.selftest_wire import Talk
from paperpath.config.endpoint import LocalSocket
from paperpath.config.loader import Document
from paperpath.config.tables import Configuration
from paperpath.service.errors import ServiceError
from paperpath.service.printable import format_value
from paperpath.service.program import config_option

_Try = Callable[[str, Callable[[], Talk]], Iterator[Finding]]

_json_option = click.option("--json", "as_json", is_flag=True, help="For scripts.")


@click.group(invoke_without_command=True)
@config_option
@_json_option
@click.pass_context
def selftest(context: click.Context, file: Path, as_json: bool) -> None:
    """Try whether what runs does what it should not; without COMMAND, all parts.

    It is harmless, and says what was tried and what was seen. It exits with 1 if there is a fault, with 69
    if something could not be tried, and with 78 if the configuration cannot be read.

    Example: paperpath selftest --config /etc/paperpath/paperpath.toml
    """
    context.default_map = {name: {"file": file, "as_json": as_json} for name in selftest.commands}
    if context.invoked_subcommand is None:
        _run(_PARTS, file, as_json=as_json)


@selftest.command()
@config_option
@_json_option
def relay(file: Path, as_json: bool) -> None:
    """Try the known tricks of open relays on the running relay; exit 1 if it takes one that it should not.

    No message is sent: behind each recipient comes RSET. The relay sees a client on this host. Where its
    rules give no address of this host the normal service, its code is asked here instead.

    Example: paperpath selftest relay --json
    """
    configuration = load_as_owner(file)
    try:
        visits = list(visit_all(configuration))
    except ServiceError as error:
        fail(error, error.exit_code)
    except UnreachableError as error:
        fail(format_value(error), os.EX_UNAVAILABLE)
    if as_json:
        click.echo(json.dumps([describe_visit(visit) for visit in visits], indent=2))
    else:
        for visit in visits:
            show_visit(visit)
    raise SystemExit(EX_FAULT if any(visit.is_open for visit in visits) else os.EX_OK)


def _run(names: Iterable[str], file: Path, *, as_json: bool) -> None:
    """Try parts, tell what they find, and exit."""
    document = load_with_text(file)
    found: dict[str, list[Finding]] = {}
    for name in names:
        if name not in _AS_CALLER:
            become_owner(document.configuration)
        found[name] = list(_guard(name, document))
    if as_json:
        click.echo(json.dumps(describe(found), indent=2))
    else:
        show(found)
    raise SystemExit(choose_exit(one for findings in found.values() for one in findings))


def _guard(name: str, document: Document) -> Iterator[Finding]:
    """Give what a part finds; one that cannot go on does not keep the others from it."""
    try:
        yield from _PARTS[name](document)
    except (ServiceError, UnreachableError) as error:
        yield Finding(Verdict.UNTRIED, name, str(error))


def _try_permissions(document: Document) -> Iterator[Finding]:
    return try_permissions(document.configuration, document.path)


def _try_configuration(document: Document) -> Iterator[Finding]:
    return try_configuration(document, datetime.now(UTC))


def _try_durability(document: Document) -> Iterator[Finding]:
    return try_disks(document.configuration)


def _try_relay(document: Document) -> Iterator[Finding]:
    for visit in visit_all(document.configuration):
        yield from summarize(visit)


def _try_starttls(document: Document) -> Iterator[Finding]:
    for ends in find_ends(document.configuration):
        yield from _try_at(ends, try_starttls)


def _try_smuggling(document: Document) -> Iterator[Finding]:
    for ends in find_ends(document.configuration):
        if ends.way_in == "relay":
            yield from _try_at(ends, try_variants)
    yield from _try_submission(document.configuration)


def _try_submission(configuration: Configuration) -> Iterator[Finding]:
    if configuration.submission is None:
        return
    if not configuration.submission.listen_local:
        yield Finding(Verdict.UNTOLD, "submission", "it takes no message without a login, which we have not")
        return
    place = LocalSocket(configuration.submission_socket)
    yield from try_variants("submission", partial(Talk, place))


def _try_at(ends: Ends, attempt: _Try) -> Iterator[Finding]:
    if ends.source:
        return attempt(str(ends.server), partial(Talk, ends.server, ends.source))
    seen = "by the rules no address of this host gets service there"
    return iter((Finding(Verdict.UNTOLD, str(ends.server), seen),))


_PARTS: dict[str, Callable[[Document], Iterable[Finding]]] = {
    "permissions": _try_permissions,
    "configuration": _try_configuration,
    "durability": _try_durability,
    "starttls": _try_starttls,
    "smuggling": _try_smuggling,
    "relay": _try_relay,
}
_AS_CALLER = ("permissions", "configuration")
"""The parts that look at what the service user may not see; they come first, since nobody is root again."""

_HELP = {
    "permissions": """Look at owner and mode of every file and folder of the installation.""",
    "configuration": """Find what paperpath check does, and what only a running installation shows.

        That is: programs and ports that do not answer, certificates as they are shown, the name in the DNS.
        """,
    "durability": """Say whether the disks keep what is flushed, as far as can be told.

        Looked at are the file system, its options, the write cache, and how long flushes take, by a file
        without a name. No program can see whether a disk keeps its word: only cutting the power shows that.
        """,
    "starttls": """Try whether commands count inside TLS that were said in the clear.""",
    "smuggling": """Try whether a message ends where it should not, or is taken with forbidden line ends.

        The relay is tried on each port, and submission through the socket for users of this host, where no
        login is needed. Each message is one that must be refused, to the postmaster.
        """,
}


def _add_command(name: str, text: str) -> None:
    @selftest.command(name, help=f"{cleandoc(text)}\n\nExample: paperpath selftest {name}")
    @config_option
    @_json_option
    def command(file: Path, as_json: bool) -> None:
        _run([name], file, as_json=as_json)


for _name, _text in _HELP.items():
    _add_command(_name, _text)
