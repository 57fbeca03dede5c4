"""Starts a program as systemd does: `activator.py NAMES DESCRIPTORS PROGRAM ARGUMENTS...`.

NAMES and DESCRIPTORS are separated by colons; the descriptors become 3, 4 and so on.
"""

import os
import sys

_SPARE = 100


def main() -> None:
    """Become the program."""
    names, descriptors, *command = sys.argv[1:]
    given = [int(text) for text in descriptors.split(":")]
    for number, descriptor in enumerate(given):  # out of the way first
        os.dup2(descriptor, _SPARE + number)
    for number in range(len(given)):
        os.dup2(_SPARE + number, 3 + number, inheritable=True)
        os.close(_SPARE + number)
    environment = os.environ | {
        "LISTEN_PID": str(os.getpid()),
        "LISTEN_FDS": str(len(given)),
        "LISTEN_FDNAMES": names,
    }
    os.execve(command[0], command, environment)


if __name__ == "__main__":
    main()
