"""The command of an agent that runs a program: its arguments, in which names stand for what is put in.

Called by the agents' tables and for aliases that name programs; local delivery puts in the values of a
message. There is no shell: each argument stays one, whatever is put in.
"""

import re
from collections.abc import Mapping, Sequence

NAMES = ("sender", "recipient", "local", "domain", "detail", "original_recipient")
COMMAND_EXPECTED = (
    'a list of arguments, the first an absolute path, such as ["/usr/bin/archive", "--for", "{recipient}"]'
    f"; in braces may stand {', '.join(NAMES)}"
)
_NAME = re.compile(r"\{(\w+)\}")


def parse_command(arguments: Sequence[str]) -> tuple[str, ...]:
    """Return a command as it is. Raises: ValueError, whose text says what was expected."""
    names = [name for argument in arguments for name in _NAME.findall(argument)]
    if (
        not arguments
        or not arguments[0].startswith("/")
        or _NAME.search(arguments[0])
        or any("\0" in argument for argument in arguments)
        or not set(names) <= set(NAMES)
    ):
        raise ValueError(f"expected {COMMAND_EXPECTED}")
    return tuple(arguments)


def fill_in(argument: str, values: Mapping[str, str]) -> str:
    """Put values in the place of their names; what is put in is not looked at again."""
    return _NAME.sub(lambda found: values[found[1]], argument)
