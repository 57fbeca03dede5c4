"""`paperpath`, the administrator's command: make an installation, check it, run it, say who has a mailbox."""

import os
from importlib import import_module

import click

from paperpath import __version__

_NAMES = (
    "init",
    "check",
    "up",
    "upgrade",
    "status",
    "reload",
    "account",
    "domain",
    "dkim",
    "access",
    "queue",
    "explain",
    "lists",
    "selftest",
    "why",
    "sink",
    "bench",
)


class _Commands(click.Group):
    """Each command is imported when it is called: nobody waits for what only another one needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_NAMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _NAMES:
            return None
        command = getattr(import_module(f"paperpath.commands.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="paperpath")
def main() -> None:
    """Run and look after Paperpath, a mail transfer system.

    Example: paperpath init mail && paperpath up --config mail/paperpath.toml
    """
    os.umask(0o077)  # mail, and whatever says who gets it, is nobody else's business


if __name__ == "__main__":
    main()
