"""A password for an account: asked for twice on a terminal, else the first line of stdin; or made up.

Never from arguments or the environment, where other users of the host can read it, and from here on no core
dump will have it (attack L-5).
"""

import os
import sys

import click

from paperpath.accounts.passwords import MOST_OCTETS, PasswordError, make_random_password, prepare_password
from paperpath.commands.options import fail
from paperpath.service.privileges import give_up_what_nobody_needs

_MOST_LINE_OCTETS = 4 * MOST_OCTETS  # of what is longer the end does not matter: it is refused


def read_password() -> str:
    """Return a password in the form in which it is hashed; exit where it cannot be used."""
    give_up_what_nobody_needs()
    try:
        return prepare_password(_ask() if sys.stdin.isatty() else _read_line())
    except PasswordError as error:
        fail(f"the password cannot be used: {error}", os.EX_DATAERR)


def make_up_password() -> str:
    """Return a password that nobody can guess, to be told to the one whose it is."""
    give_up_what_nobody_needs()
    return make_random_password()


def _ask() -> str:
    asked: str = click.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True)
    return asked


def _read_line() -> str:
    line = sys.stdin.buffer.readline(_MOST_LINE_OCTETS)
    try:
        return line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError:
        fail("the password cannot be used: expected UTF-8", os.EX_DATAERR)
