"""What a program is told of a delivery, by its arguments and its environment: pure (requirement F-16, F-4).

Called by the program agent. Addresses are data: no shell reads them, and each argument of the command stays
one argument, whatever is put in. They are UTF-8 whatever the locale of this host.
"""

from collections.abc import Sequence

from paperpath.config.command_line import fill_in
from paperpath.local.content import used_address
from paperpath.mail.address import Mailbox
from paperpath.maildrop.values import Claim
from paperpath.routing.mailboxes import split_detail

PATH = "/usr/local/bin:/usr/bin:/bin"
_OPTIONS_END = "--"


class HyphenError(Exception):
    """An argument became an option by what was put in; `str()` is the argument's form in the command."""


def collect_values(claim: Claim, separator: str) -> dict[str, str]:
    """Return what may be put in the arguments, by name; the null sender is empty."""
    address = used_address(claim)
    _, detail = split_detail(address, separator)
    return {
        "sender": _write(claim.return_path),
        "recipient": str(address),
        "local": address.local,
        "domain": address.domain,
        "detail": detail,
        "original_recipient": str(claim.accepted_address),
    }


def make_arguments(command: Sequence[str], values: dict[str, str]) -> list[bytes]:
    """Put the values in the arguments.

    Raises: HyphenError, where one would begin with a hyphen by that, and no `--` before it ends the options.
    """
    arguments: list[bytes] = []
    for form in command:
        argument = fill_in(form, values)
        if argument.startswith("-") and not form.startswith("-") and _OPTIONS_END.encode() not in arguments:
            raise HyphenError(form)
        arguments.append(argument.encode())
    return arguments


def make_environment(values: dict[str, str]) -> dict[bytes, bytes]:
    """Return the whole environment of a program."""
    environment = {
        "SENDER": values["sender"],
        "RECIPIENT": values["recipient"],
        "LOCAL": values["local"],
        "HOST": values["domain"],
        "EXT": values["detail"],
        "DETAIL": values["detail"],
        "ORIGINAL_RECIPIENT": values["original_recipient"],
        "PATH": PATH,
    }
    return {name.encode(): value.encode() for name, value in environment.items()}


def _write(mailbox: Mailbox | None) -> str:
    return "" if mailbox is None else str(mailbox)
