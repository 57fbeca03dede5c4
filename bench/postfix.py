"""A private Postfix: its own configuration, queue and data folders, started and stopped by us.

The system's own instance is neither read nor touched, save for asking `postconf` where the daemons
are and which accounts Postfix uses. `master` is started directly and in the foreground, because
`postfix start` also looks after files that all instances share. It knows nothing about the load.
"""

import grp
import os
import pwd
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench import settings
from bench.failure import AbsentError
from bench.maildir import Maildir
from bench.process import Child
from bench.relay import RECIPIENT, wait_for_greeting
from bench.source import find_tool
from bench.target import Target

DEFAULT_NAME = "postfix-default"
TUNED_NAME = "postfix-tuned"
EXPERT_NAME = "postfix-expert"
TUNINGS = {DEFAULT_NAME: settings.DEFAULT, TUNED_NAME: settings.TUNED, EXPERT_NAME: settings.EXPERT}

PRIVATE_QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming")
PRIVATE_OTHERS = ("private", "saved", "trace")
WAITING = ("maildrop", "incoming", "active", "deferred")  # where undelivered messages lie
DELIVERS_AS = "nobody"


class Installation:
    """The installed Postfix: its daemons' folder, its accounts and its version."""

    def __init__(self) -> None:
        postconf = find_tool("postconf")
        if postconf is None:
            raise AbsentError("Postfix is not installed (Debian: package postfix): postconf is not there.")
        self.postconf = postconf
        self.version = ask(postconf, "mail_version")
        self.daemons = Path(ask(postconf, "daemon_directory"))
        self.mail_owner = ask(postconf, "mail_owner")
        self.setgid_group = ask(postconf, "setgid_group")
        self.master = self.daemons / "master"
        if not self.master.is_file():
            raise AbsentError(f"Postfix is not installed in whole: {self.master} is not there.")


def ask(postconf: str, parameter: str) -> str:
    """The value of one parameter of the installed Postfix."""
    done = subprocess.run([postconf, "-h", parameter], capture_output=True, text=True, check=False)
    if done.returncode:
        raise AbsentError(f"postconf cannot say {parameter}: {done.stderr.strip()}")
    return done.stdout.strip()


def remarks() -> list[str]:
    """What a reader should know of Postfix's durability and logging here, in whole sentences."""
    heard = Path("/dev/log").exists()
    fate = "a syslogd listens, so its lines are written" if heard else "none listens here: its lines are lost"
    return [
        "Postfix flushes twice a message: the queue file before 250, the Maildir file before it is done.",
        f"{DEFAULT_NAME} logs to syslogd ({fate}); the others do not log.",
    ]


def obstacle() -> str | None:
    """Why a private Postfix cannot be run by this user, as a clause; None if it can."""
    return None if os.geteuid() == 0 else "only root may start Postfix, and this run is not root's"


class Postfix:
    """A private Postfix under `folder`, listening on 127.0.0.1:`port`, tuned as its `name` says."""

    durability = "flush"

    def __init__(
        self,
        name: str,
        folder: Path,
        port: int,
        way: Callable[[settings.Places], dict[str, str]] = settings.to_maildir,
        tuning: Mapping[str, str] | None = None,
    ) -> None:
        """Have it bring mail where `way` says; `tuning` takes the place of what goes with the name."""
        installation = Installation()
        account = pwd.getpwnam(DELIVERS_AS)
        self.name = name
        self.port = port
        self.way = way
        self.tuning = dict(TUNINGS[name] if tuning is None else tuning)
        self.postconf = installation.postconf
        self._owner = pwd.getpwnam(installation.mail_owner).pw_uid
        self._drop_group = grp.getgrnam(installation.setgid_group).gr_gid
        self.places = settings.Places(
            config=folder / "etc",
            queue=folder / "queue",
            data=folder / "data",
            mail=folder / "mail",
            daemons=installation.daemons,
            mail_owner=installation.mail_owner,
            setgid_group=installation.setgid_group,
            uid=account.pw_uid,
            gid=account.pw_gid,
        )
        self.recipient = RECIPIENT
        self.mailboxes: Sequence[str] = (RECIPIENT.partition("@")[0],)
        self.target: Target = Maildir(self.places.mail / self.mailboxes[0])
        line = [str(installation.master), "-c", str(self.places.config), "-d"]
        self.child = Child(name, line, folder / "master.log")

    def start(self) -> None:
        """Write the configuration, make the queue, start `master` and return when smtpd greets."""
        self.prepare()
        self.launch()

    def prepare(self) -> None:
        """Write the configuration, and make the queue; nothing is started."""
        self._make_folders()
        self._write_configuration()

    def launch(self) -> None:
        """Start `master`, and return when smtpd greets."""
        self.child.start()
        wait_for_greeting(self.child, self.port)

    def stop(self) -> None:
        """Stop `master` and every process it started."""
        self.child.stop()

    def queue_is_empty(self) -> bool:
        """Whether no message is in any queue of this instance."""
        queues = (self.places.queue / name for name in WAITING)
        return not any(files for queue in queues for _, _, files in os.walk(queue))

    def configuration(self) -> dict[str, str]:
        """main.cf and master.cf."""
        names = ("main.cf", "master.cf")
        return {name: (self.places.config / name).read_text(encoding="utf-8") for name in names}

    def _write_configuration(self) -> None:
        main_cf = settings.main_cf(self.places, self.way(self.places), self.tuning)
        (self.places.config / "main.cf").write_text(main_cf, encoding="utf-8")
        (self.places.config / "master.cf").write_text(settings.master_cf(self.port), encoding="utf-8")

    def admin(self, program: str, *arguments: str) -> list[str]:
        """The command line of one of the administrator's programs, for this instance."""
        return [str(Path(self.postconf).with_name(program)), "-c", str(self.places.config), *arguments]

    def _make_folders(self) -> None:
        places = self.places
        for path in (places.config, places.queue, places.mail, places.queue / "pid"):
            make_folder(path, 0o755, 0, 0)
        for name in PRIVATE_QUEUES + PRIVATE_OTHERS:
            make_folder(places.queue / name, 0o700, self._owner, 0)
        make_folder(places.queue / "public", 0o710, self._owner, self._drop_group)
        make_folder(places.queue / "maildrop", 0o730, self._owner, self._drop_group)
        make_folder(places.data, 0o700, self._owner, 0)
        for mailbox in (places.mail / local for local in self.mailboxes):
            for path in (mailbox, mailbox / "tmp", mailbox / "new", mailbox / "cur"):
                make_folder(path, 0o700, places.uid, places.gid)


def make_folder(path: Path, mode: int, uid: int, gid: int) -> None:
    """Make one folder with exactly this mode and these owners, and the missing ones above it."""
    path.mkdir(parents=True, exist_ok=True)
    os.chown(path, uid, gid)
    path.chmod(mode)
