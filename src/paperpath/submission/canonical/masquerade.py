"""The text of a masquerade table, who goes out as whom: text in, the table or all its mistakes out; pure.

# local part at the name of the masquerade, white space, address; one user a line
jru         J.Random.User@example.org
"a name"    somebody@example.net
"""

import re
from collections.abc import Sequence

from paperpath.config.domain import DomainPattern
from paperpath.mail.address import AddressError, Mailbox, parse_local_part, parse_mailbox
from paperpath.mail.domain import domain_key
from paperpath.mail.fields.error import show
from paperpath.mail.local_part import fold_local
from paperpath.submission.canonical.mailboxes import put_mask_on
from paperpath.submission.canonical.values import Masquerade

_EXPECTED = 'expected a local part, white space and an address such as "jru J.Random.User@example.org"'
_LINE = re.compile(r'("(?:[^"\\]|\\.)*"|\S+)[ \t]+(\S.*)')


class MasqueradeError(ValueError):
    """The text has mistakes: each with its line, in the order of the lines."""

    def __init__(self, mistakes: Sequence[tuple[int, str]]) -> None:
        """Gather them."""
        self.mistakes = sorted(mistakes)
        super().__init__("\n".join(f"{line}: {message}" for line, message in self.mistakes))


def parse_masquerade(text: str, hidden: Sequence[DomainPattern], name: str) -> Masquerade:
    """Read the text of the table that goes with hidden domains and a name; that is as `domain_key` has it.

    Raises: MasqueradeError, with all that is wrong.
    """
    users: dict[str, Mailbox] = {}
    lines: dict[str, int] = {}
    mistakes = []
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        try:
            local, address = _parse_line(bare)
            if local in users:
                raise ValueError(f"expected one line for each local part; this one is on line {lines[local]}")
        except ValueError as error:
            mistakes.append((number, str(error)))
        else:
            users[local], lines[local] = address, number
    masquerade = Masquerade(tuple(hidden), name, users)
    for local, address in users.items():
        if put_mask_on(address, masquerade) != address:
            message = f"expected an address that is not masqueraded itself, got {show(str(address))}"
            mistakes.append((lines[local], message))
    if mistakes:
        raise MasqueradeError(mistakes)
    return masquerade


def _parse_line(line: str) -> tuple[str, Mailbox]:
    """Return the key of a user, and the address. Raises: ValueError."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise ValueError(f"{_EXPECTED}, got {show(line)}")
    try:
        local, address = parse_local_part(found[1]), parse_mailbox(found[2])
    except AddressError as error:
        raise ValueError(f"{_EXPECTED}, got {show(line)}: {error}") from None
    address = Mailbox(address.local, domain_key(address.domain))
    if not address.domain:
        raise ValueError(f"{_EXPECTED}, got {show(line)}: the address has no domain")
    if not address.local.isascii():  # whose mail would then need SMTPUTF8 on every host
        raise ValueError(f"{_EXPECTED}, got {show(line)}: the address is not ASCII")
    return fold_local(local), address
