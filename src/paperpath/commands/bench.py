"""`paperpath bench`: how fast a mail system is, measured by our own source and sink.

Without the name of a command it is `send`; each command has a module of its own.
"""

import click

from paperpath.commands.bench_send import send
from paperpath.commands.bench_sink import sink

_DEFAULT = "send"


class _Bench(click.Group):
    """Takes what names no command for the arguments of `send`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [_DEFAULT, *args] if self._is_for_default(ctx, args) else args)

    def _is_for_default(self, ctx: click.Context, args: list[str]) -> bool:
        if not args:
            return not ctx.resilient_parsing  # a shell that completes the first word offers the commands
        return args[0] not in self.commands and args[0] not in ctx.help_option_names


@click.group(cls=_Bench)
def bench() -> None:
    """Measure a mail system: messages a second, how long the 250 takes, CPU and memory.

    What names no COMMAND is for `send`: `paperpath bench` alone measures an installation that it makes for
    that in a temporary folder; `paperpath bench 127.0.0.1:2525 --to me@example.test` measures a server that
    runs. Its options: `paperpath bench send --help`.

    Example: paperpath bench --messages 20000 --connections 50 --plot speed.svg
    """


bench.add_command(send)
bench.add_command(sink)
