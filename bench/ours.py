"""Our side: Paperpath, set up and started by its own command, as a newcomer would.

It is a program here and nothing is imported from it. What this module relies on: `paperpath init`
writes DIR/paperpath.toml and makes the mailbox, `paperpath up` runs everything in the foreground, and
mail for the mailbox lands in its Maildir under DIR/data/mailboxes.
"""

import sys
import tomllib
from pathlib import Path

from bench.failure import AbsentError, BenchError
from bench.maildir import Maildir
from bench.process import Child
from bench.relay import DOMAIN, RECIPIENT, wait_for_greeting
from bench.target import Target

NAME = "paperpath"
REMARK = (
    "Paperpath commits and flushes a message before its 250, and flushes file and folder in a Maildir; "
    "its log and journal are as shipped."
)
INIT_WITHIN = 60.0  # seconds
LIMITS = ("most_connections", "most_connections_per_client")
MOST_CONNECTIONS = 20_000


class Paperpath:
    """Paperpath under `folder`, listening on 127.0.0.1:`port`."""

    name = NAME
    durability = "flush"

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self.program = str(Path(sys.executable).with_name("paperpath"))
        self.folder = folder / "site"
        self.config = self.folder / "paperpath.toml"
        mailbox, _, domain = RECIPIENT.partition("@")
        self.recipient = RECIPIENT
        self.maildir = Maildir(self.folder / "data" / "mailboxes" / domain / mailbox)
        self.target: Target = self.maildir
        log = folder / "paperpath.log"
        self.child = Child(NAME, [self.program, "up", "--config", str(self.config)], log)

    def start(self) -> None:
        """Run `paperpath init`, then `paperpath up`, and return when it greets."""
        self.prepare()
        self.launch()

    def prepare(self) -> None:
        """Run `paperpath init`; nothing is started."""
        if not Path(self.program).is_file():
            raise AbsentError(f"{self.program} is not there; `make compare` installs it.")
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self.init()
        self.durability = stated_durability(self.config)

    def launch(self) -> None:
        """Run `paperpath up`, and return when it greets."""
        self.child.start()
        wait_for_greeting(self.child, self.port)

    def stop(self) -> None:
        """Stop `paperpath up` and everything it started."""
        self.child.stop()

    def queue_is_empty(self) -> bool:
        """True: our queue cannot be seen from outside; the processes' rest has to tell."""
        return True

    def configuration(self) -> dict[str, str]:
        """Our paperpath.toml."""
        return {"paperpath.toml": self.config.read_text(encoding="utf-8")}

    def amend(self, old: str, new: str) -> None:
        """Put something in the place of what the configuration has exactly once."""
        text = self.config.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise BenchError(f"{self.config} has {text.count(old)} times, and not once: {old.strip()}")
        self.config.write_text(text.replace(old, new), encoding="utf-8")

    def append(self, table: str) -> None:
        """Put a table at the end of the configuration."""
        text = self.config.read_text(encoding="utf-8")
        self.config.write_text(f"{text}\n{table}\n", encoding="utf-8")

    def init(self) -> None:
        """Make configuration and mailbox."""
        mailbox = RECIPIENT.partition("@")[0]
        options = ["--domain", DOMAIN, "--mailbox", mailbox, "--listen", f"127.0.0.1:{self.port}"]
        options += ["--submission-port", "0", "--submission-tls-port", "0"]  # smtpsd is for who measures it
        options += ["--imap-port", "0", "--imap-tls-port", "0"]  # and so is imapd
        setup = Child("paperpath init", [self.program, "init", str(self.folder), *options], self.child.log)
        try:
            setup.start()
            if not setup.exited_within(INIT_WITHIN):
                raise setup.failure(f"was not done after {INIT_WITHIN:.0f} s")
            status = setup.status()
            if status:
                raise setup.failure(f"failed with status {status}")
        finally:
            setup.stop()
        self._allow_connections()

    def _allow_connections(self) -> None:
        """Let one address have as many connections as it likes: all that is measured comes from one."""
        limits = "".join(f"{key} = {MOST_CONNECTIONS}\n" for key in LIMITS)
        self.amend("\n[relay]\n", f"\n[relay]\n{limits}")


def stated_durability(config: Path) -> str:
    """The value of the first key `durability` anywhere in our configuration; "flush", the default, else."""
    waiting: list[object] = [tomllib.loads(config.read_text(encoding="utf-8"))]
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, dict):
            if "durability" in item:
                return str(item["durability"])
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return "flush"
