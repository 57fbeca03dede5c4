"""A Dovecot of a test's own, which takes mail by LMTP: over a UNIX socket, and over TCP with STARTTLS.

It runs as an ordinary user, below a folder that this user can walk to.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.installation import find_free_port, wait_until
from tests.support.peers import find_peer
from tests.support.tls import write_certificate

_USER, _GROUP = "nobody", "nogroup"  # where the test runs as root
_CONFIGURATION = """
protocols = lmtp
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
ssl = yes
ssl_cert = <{chain}
ssl_key = <{key}
mail_location = maildir:{folder}/mail/%n
userdb {{
  driver = passwd-file
  args = username_format=%n {folder}/users
}}
passdb {{
  driver = passwd-file
  args = username_format=%n {folder}/users
}}
protocol lmtp {{
  mail_plugins = quota
}}
plugin {{
  quota = maildir:User quota
}}
service anvil {{
  chroot =
}}
service lmtp {{
  unix_listener {folder}/lmtp {{
    mode = 0666
  }}
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
}}
"""


class Dovecot:
    """One instance. `users`: local parts, at any domain, and how many octets each may have; 0: any."""

    def __init__(self, folder: Path, users: Mapping[str, int]) -> None:
        self._program = find_peer("dovecot")
        self.folder = folder
        self.socket = folder / "lmtp"
        self.port = find_free_port()
        for name in ("run", "state", "mail", "home"):
            (folder / name).mkdir()
        self._write(users)

    @contextmanager
    def run(self) -> Iterator[None]:
        """Run it for the length of the block."""
        command = [self._program, "-F", "-c", str(self.folder / "dovecot.conf")]
        user, group, more = (_USER, _GROUP, ()) if os.geteuid() == 0 else (None, None, None)
        with subprocess.Popen(command, user=user, group=group, extra_groups=more) as process:
            try:
                wait_until(lambda: self.socket.exists() or process.poll() is not None, "Dovecot to listen")
                assert process.poll() is None, self.said()
                yield
            finally:
                process.terminate()

    def said(self) -> str:
        """Return its log."""
        log = self.folder / "log"
        return log.read_text() if log.exists() else ""

    def delivered(self, user: str) -> list[bytes]:
        """Return the messages in a user's mailbox, with CRLF, in the order in which they came."""
        files = sorted((self.folder / "mail" / user / "new").glob("*"))
        return [file.read_bytes().replace(b"\n", b"\r\n") for file in files]

    @contextmanager
    def locked_out(self, user: str) -> Iterator[None]:
        """Keep it from a user's mailbox for the length of the block."""
        mailbox = self.folder / "mail" / user
        mailbox.mkdir(exist_ok=True)
        shutil.chown(mailbox, self.folder.stat().st_uid, self.folder.stat().st_gid)
        mailbox.chmod(0)
        try:
            yield
        finally:
            mailbox.chmod(0o700)

    def _write(self, users: Mapping[str, int]) -> None:
        folder = self.folder
        chain, key = write_certificate(folder, "127.0.0.1")
        if os.geteuid() == 0:
            for path in (folder, *folder.rglob("*")):
                shutil.chown(path, _USER, _GROUP)
        owner = folder.stat()
        (folder / "users").write_text(
            "".join(
                f"{user}::{owner.st_uid}:{owner.st_gid}::{folder}/home/{user}::"
                f"{f'userdb_quota_rule=*:bytes={octets}' if octets else ''}\n"
                for user, octets in users.items()
            )
        )
        text = _CONFIGURATION.format(
            folder=folder, user=folder.owner(), group=folder.group(), port=self.port, chain=chain, key=key
        )
        (folder / "dovecot.conf").write_text(text)
