"""What `paperpath bench` takes from a configuration: who runs, where mail arrives, how durable a 250 is.

Called by bench_measuring.py, for an installation that runs.
"""

from collections.abc import Sequence
from pathlib import Path

from paperpath.accounts.file import AccountsError, load_accounts
from paperpath.commands.selftest_durability import judge_mount
from paperpath.commands.selftest_findings import Verdict
from paperpath.config.tables import Configuration
from paperpath.mail.address import parse_mailbox
from paperpath.maildrop.sqlite.filesystem import read_mount
from paperpath.service.control import ask, control_folder, list_programs
from paperpath.service.errors import ServiceError

_FLUSH = "flush"  # what there is: every message is flushed before its 250, and again in its folder


def describe_durability(configuration: Configuration) -> str:
    """Say what a 250 promises; where the file system keeps nothing, that it promises nothing."""
    mount = read_mount(configuration.maildrop_folder)
    if mount is not None and judge_mount(mount).verdict is Verdict.FAULT:
        return f"{_FLUSH}, but {mount.kind} keeps nothing of it"
    return _FLUSH


def find_roots(configuration: Configuration) -> dict[int, str]:
    """Find the processes of an installation that answer, whose families are all. Raises: ServiceError."""
    folder = control_folder(configuration)
    found, trouble = {}, ServiceError(f"{configuration.data}: nothing is running there")
    for program in list_programs(folder):
        try:
            found[int(ask(folder, program, "status")["pid"])] = ""
        except ServiceError as error:  # one that was killed leaves its socket
            trouble = error
    if not found:
        raise trouble
    return found


def find_maildir(configuration: Configuration, addresses: Sequence[str]) -> Path | None:
    """Find the Maildir of the account, where all goes to one that has an account of its own."""
    if len(addresses) != 1:
        return None
    try:
        account = load_accounts(configuration.accounts_file).find(parse_mailbox(addresses[0]))
    except AccountsError as error:
        raise ServiceError(str(error)) from error
    return None if account is None else configuration.mailbox_root / account.folder
