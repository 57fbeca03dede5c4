"""The command of an agent that runs a program: its arguments, in which names stand for what is put in.

Called by the agents' tables and for aliases that name programs; local delivery puts in the values of a
message. There is no shell: each argument stays one, whatever is put in.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

NAMES = ("sender", "recipient", "local", "domain", "detail", "original_recipient")
SHELL_DOUBT = (
    "a shell reads the argument behind -c, and whatever addresses are put in there as commands; "
    "name the program itself, or a script"
)
COMMAND_EXPECTED = (
    'a list of arguments, the first an absolute path, such as ["/usr/bin/archive", "--for", "{recipient}"]'
    f"; in braces may stand {', '.join(NAMES)}"
)
_CARRIERS = frozenset({"env", "busybox"})
_SHELLS = frozenset({"sh", "ash", "bash", "csh", "dash", "fish", "ksh", "mksh", "tcsh", "zsh"})
_SHELL_OPTION = re.compile(r"-[A-Za-z]*c[A-Za-z]*|--command")
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


def hands_to_shell(command: Sequence[str]) -> bool:
    """Tell whether a command has a shell read one of its arguments."""
    words = command[1:] if PurePosixPath(command[0]).name in _CARRIERS else command
    return (
        bool(words)
        and PurePosixPath(words[0]).name in _SHELLS
        and any(_SHELL_OPTION.fullmatch(word) for word in words[1:])
    )


def fill_in(argument: str, values: Mapping[str, str]) -> str:
    """Put values in the place of their names; what is put in is not looked at again."""
    return _NAME.sub(lambda found: values[found[1]], argument)
