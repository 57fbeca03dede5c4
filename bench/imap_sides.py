"""The two sides of `bench.imap`: our imapd, and a private Dovecot; each over TLS, with one account.

Dovecot has the settings that it comes with, but for where things are; where root starts it, it runs as an
ordinary user, below a folder that this user can walk to.
"""

import os
import pwd
import time
from pathlib import Path
from typing import Protocol

from bench.compare.submitting import write_certificate
from bench.failure import AbsentError, BenchError
from bench.imap_client import Client
from bench.installation import Site
from bench.process import Child, run_to_end
from bench.relay import READY_WITHIN, RECIPIENT, free_ports
from bench.source import find_tool

PASSWORD = "correct-horse"  # nobody but this run has anything behind it
_ORDINARY = "nobody"
_CONFIGURATION = """\
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
ssl = required
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/certificate.pem
mail_location = maildir:{folder}/mail
first_valid_uid = 1
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
"""


class Side(Protocol):
    """An IMAP server. `maildir`: of its account; `owner`: as whom it reads that."""

    name: str
    port: int
    maildir: Path
    owner: tuple[int, int]
    child: Child

    def prepare(self) -> None:
        """Configure it; nothing is started."""

    def configuration(self) -> str:
        """Return what it was told."""


class Ours:
    """imapd by itself."""

    name = "imapd"

    def __init__(self, folder: Path) -> None:
        """Be in a folder that is made."""
        relay_port, self.port = free_ports(2)
        self._site = Site(folder, relay_port)
        self.maildir = self._site.maildir.new.parent
        self.owner = os.getuid(), os.getgid()
        program = Path(self._site.program).with_name("imapd")
        self.child = Child(self.name, [str(program), "--config", str(self._site.config)], self._site.log)

    def prepare(self) -> None:
        """Make an installation, and a password."""
        self._site.init()
        self._site.append(f'[imap]\nlisten_tls = ["127.0.0.1:{self.port}"]')
        command = [self._site.program, "account", "password", "--config", str(self._site.config), RECIPIENT]
        run_to_end(command, PASSWORD)

    def configuration(self) -> str:
        """Return paperpath.toml."""
        return self._site.config.read_text(encoding="utf-8")


class Dovecot:
    """A Dovecot of our own."""

    name = "dovecot"

    def __init__(self, folder: Path) -> None:
        """Be in a folder that is made."""
        program = find_tool("dovecot")
        if program is None:
            raise AbsentError("Dovecot is not installed (Debian: package dovecot-imapd).")
        (self.port,) = free_ports(1)
        self._folder = folder
        self.maildir = folder / "mail"
        user = pwd.getpwnam(_ORDINARY) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self.owner = user.pw_uid, user.pw_gid
        self._user = user.pw_name
        command = [program, "-F", "-c", str(self._config)]
        if os.geteuid() == 0:
            command = [
                "setpriv",
                f"--reuid={user.pw_uid}",
                f"--regid={user.pw_gid}",
                "--clear-groups",
                *command,
            ]
        self.child = Child(self.name, command, folder.with_suffix(".log"))

    @property
    def _config(self) -> Path:
        return self._folder / "dovecot.conf"

    def prepare(self) -> None:
        """Make its folders, a certificate and a configuration."""
        for name in ("", "run", "state", "home", "mail", "mail/cur", "mail/new", "mail/tmp"):
            (self._folder / name).mkdir()
        write_certificate(self._folder / "certificate.pem")
        uid, gid = self.owner
        self._config.write_text(
            _CONFIGURATION.format(
                folder=self._folder,
                user=self._user,
                group=(self._folder.group() if os.geteuid() else "nogroup"),
                password=PASSWORD,
                uid=uid,
                gid=gid,
                port=self.port,
            ),
            encoding="utf-8",
        )
        for path in (self._folder, *self._folder.rglob("*")):
            os.chown(path, uid, gid)

    def configuration(self) -> str:
        """Return dovecot.conf."""
        return self._config.read_text(encoding="utf-8")


def connect(side: Side) -> Client:
    """Log in to a side."""
    return Client(side.port, RECIPIENT, PASSWORD)


def wait_for_login(side: Side) -> None:
    """Return when somebody can log in; BenchError when the program ends before or takes too long."""
    deadline = time.monotonic() + READY_WITHIN
    while True:
        try:
            connect(side).close()
            return
        except OSError:
            if side.child.exited_within(0.05):
                raise side.child.failure("ended before it was ready") from None
        if time.monotonic() > deadline:
            raise BenchError(f"{side.name} did not let anybody in within {READY_WITHIN:.0f} s")
