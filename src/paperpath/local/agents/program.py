"""The program agent: a delivery is a run of a program, with the message on its standard input (F-15, F-16).

The message is written to a file without a name first, lines ending with LF. So no program begins with one
that is damaged, and none takes half of it for the whole because we died. Whether a program that was cut off
had done its work nobody knows: it runs again, at least once for each delivery (promise P4).
"""

import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from paperpath.folders.maildir import to_stored_lines
from paperpath.local.agents.attempt import attempt, defer
from paperpath.local.agents.errand import HyphenError, collect_values, make_arguments, make_environment
from paperpath.local.agents.exit_codes import Codes, judge_exit
from paperpath.local.agents.interface import Desk
from paperpath.local.content import read_marked
from paperpath.mail.outcome import Delivered, Failed, Outcome
from paperpath.mail.reply import Reply, make_reply
from paperpath.maildrop.values import Claim
from paperpath.service.bounded_run import Ended, Order, run_bounded

_UNPRINTABLE = re.compile(r"[^ -~]")


@dataclass(frozen=True, slots=True)
class ProgramAgent:
    """Runs a command for each delivery, in a folder; `codes` is how its exit codes are to be read.

    Where it fails, so many octets of its output go into the reply, and by that into the report. What follows
    the separator in a local part is the detail.
    """

    place: str
    command: tuple[str, ...]
    codes: Codes
    timeout_s: float
    most_output: int
    folder: Path
    separator: str

    def deliver(self, claims: Sequence[Claim], desk: Desk) -> list[Outcome]:
        """Run the command for one claim after the other."""
        return [attempt(claim, desk, lambda claim: self._deliver(claim, desk)) for claim in claims]

    def _deliver(self, claim: Claim, desk: Desk) -> Outcome:
        values = collect_values(claim, self.separator)
        try:
            arguments = make_arguments(self.command, values)
        except HyphenError as error:
            reason = f"{self.place} could take what stands for {error} for an option: it begins with a hyphen"
            return Failed(make_reply(550, "5.1.3", reason))
        order = Order(
            arguments, make_environment(values), self.folder, self.timeout_s, self.most_output, desk.end
        )
        with tempfile.TemporaryFile() as message:
            _write_message(message, to_stored_lines(read_marked(claim, desk.findings)))
            try:
                ended = run_bounded(order, message.fileno())
            except OSError as error:  # it may be being replaced just now
                reason = f"{self.place} cannot be run: {error.strerror}"
                return defer(claim, desk, make_reply(451, "4.3.5", reason))
        return self._conclude(claim, ended, desk)

    def _conclude(self, claim: Claim, ended: Ended, desk: Desk) -> Outcome:
        if ended.is_broken_off:
            reason = f"{self.place} was killed, for local delivery is ending"
            return defer(claim, desk, make_reply(451, "4.3.2", reason))
        code, status = judge_exit(ended.code, self.codes)
        end = f"{self.place} {self._describe(ended)}"
        if code < 400:
            return Delivered(make_reply(code, status, end))
        reply = Reply(code, status, (end, *_read_lines(ended.output)))
        return Failed(reply) if code >= 500 else defer(claim, desk, reply)

    def _describe(self, ended: Ended) -> str:
        if ended.code is None:
            return f"was killed after {self.timeout_s:g} seconds"
        return f"exited {ended.code}" if ended.code >= 0 else f"died of signal {-ended.code}"


def _write_message(file: BinaryIO, chunks: Iterable[bytes]) -> None:
    """Write a message and go back to its begin: the program shares the place in the file with us."""
    file.writelines(chunks)
    file.flush()
    os.lseek(file.fileno(), 0, os.SEEK_SET)


def _read_lines(output: bytes) -> list[str]:
    """Return the lines of an output that have anything on them, in printable ASCII (attack S-6)."""
    lines = (" ".join(line.split()) for line in output.decode("utf-8", "replace").splitlines())
    return [_UNPRINTABLE.sub("?", line) for line in lines if line]
