"""A private Postfix for tests: its own folders and ports, its mail in Maildirs, the system's own untouched.

One instance has several servers, one on each port, that differ in settings: so one start serves for all.
Postfix's daemons run as other users and must be able to walk to their folders, which pytest's folders do not
allow; so all of this lies in a folder of its own.
"""

import grp
import os
import pwd
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.failure import AbsentError
from bench.postfix import PRIVATE_OTHERS, PRIVATE_QUEUES, Installation, make_folder, obstacle
from bench.process import Child
from bench.relay import wait_for_greeting
from bench.settings import MASTER, Places, private

from tests.support.installation import find_free_port, wait_until
from tests.support.peers import skip_or_fail
from tests.support.tls import write_certificate

HOST = "postfix.wild.example"
DELIVERS_AS = "nobody"
_MORE_SERVICES = """\
postlog   unix-dgram n  -       n       -       1       postlogd
tlsmgr        unix  -       -       n       1000?   1       tlsmgr
"""
# What Postfix puts before a message: Return-Path, X-Original-To, Delivered-To, and its own Received.
_ITS_FIELDS = re.compile(
    rb"Return-Path: .*\nX-Original-To: .*\nDelivered-To: .*\nReceived: from .*\n(?:\t.*\n)*"
)
_ITS_RECEIVED = re.compile(rb"Received: from .*\r\n(?:\t.*\r\n)*")
_OUR_RECEIVED = re.compile(rb"Received: from .*\r\n(?: .*\r\n)*")


@contextmanager
def public_folder() -> Iterator[Path]:
    """Make a folder that every user can walk to, and remove it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="paperpath-peer-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class Postfix:
    """A Postfix with a server for each name: mail for `joe@NAME.wild.example` goes to the one of that name.

    `servers` says what each has of its own; `mailboxes` are the local parts that there are at each domain.
    """

    def __init__(
        self,
        folder: Path,
        servers: Mapping[str, Mapping[str, str]],
        *,
        mailboxes: Sequence[str],
    ) -> None:
        if reason := obstacle():
            skip_or_fail(reason)
        try:
            installed = Installation()
        except AbsentError as error:
            skip_or_fail(str(error))
        account = pwd.getpwnam(DELIVERS_AS)
        self.ports = {name: find_free_port() for name in servers}
        self.log = folder / "postfix.log"
        self._servers = servers
        self._mailboxes = mailboxes
        self._more: dict[str, str] = {}
        self._owner = pwd.getpwnam(installed.mail_owner).pw_uid
        self._drop_group = grp.getgrnam(installed.setgid_group).gr_gid
        self._places = Places(
            config=folder / "etc",
            queue=folder / "queue",
            data=folder / "data",
            mail=folder / "mail",
            daemons=installed.daemons,
            mail_owner=installed.mail_owner,
            setgid_group=installed.setgid_group,
            uid=account.pw_uid,
            gid=account.pw_gid,
        )
        command = [str(installed.master), "-c", str(self._places.config), "-d"]
        self._child = Child("postfix", command, folder / "master.log")

    def configure(self, more: Mapping[str, str]) -> None:
        """Have it run with further settings for all its servers and clients."""
        self._more |= more

    @contextmanager
    def run(self) -> Iterator[None]:
        """Run it for the length of the block. Its users are others than ours, and must get in everywhere."""
        before = os.umask(0o022)
        try:
            self._make_folders()
            self._write_configuration()
            self._child.start()
        finally:
            os.umask(before)
        try:
            for port in self.ports.values():
                wait_for_greeting(self._child, port)
            yield
        finally:
            self._child.stop()

    def delivered(self, address: str) -> list[Path]:
        """List the messages in new of a mailbox."""
        local, _, domain = address.partition("@")
        return sorted((self._places.mail / domain / local / "new").glob("*"))

    def wait_for(self, address: str, count: int = 1) -> list[bytes]:
        """Wait for messages in a mailbox; return them without what Postfix put before them, with CRLF."""
        wait_until(lambda: len(self.delivered(address)) >= count, f"{count} in Postfix' mailbox of {address}")
        return [taken_content(file.read_bytes()) for file in self.delivered(address)]

    def logged(self) -> str:
        """Return what it has logged."""
        return self.log.read_text(errors="replace")

    def _make_folders(self) -> None:
        places = self._places
        for path in (places.config, places.queue, places.queue / "pid"):
            make_folder(path, 0o755, 0, 0)
        for name in PRIVATE_QUEUES + PRIVATE_OTHERS:
            make_folder(places.queue / name, 0o700, self._owner, 0)
        make_folder(places.queue / "public", 0o710, self._owner, self._drop_group)
        make_folder(places.queue / "maildrop", 0o730, self._owner, self._drop_group)
        make_folder(places.data, 0o700, self._owner, 0)
        make_folder(places.mail, 0o700, places.uid, places.gid)
        for name in self._servers:
            make_folder(places.mail / f"{name}.wild.example", 0o700, places.uid, places.gid)

    def _write_configuration(self) -> None:
        places = self._places
        table = places.config / "mailboxes"
        table.write_text(
            "".join(
                f"{local}@{name}.wild.example {name}.wild.example/{local}/\n"
                for name in self._servers
                for local in self._mailboxes
            )
        )
        chain, key = write_certificate(places.config, "127.0.0.1")
        settings = private(places) | {
            "myhostname": HOST,
            "maillog_file": str(self.log),
            "maillog_file_prefixes": str(self.log.parent),
            "disable_dns_lookups": "yes",
            "smtpd_peername_lookup": "no",
            "smtputf8_enable": "yes",
            # To mail from this host it adds missing Date, From and Message-ID, which no relay does.
            "local_header_rewrite_clients": "",
            # As strict as it can be with whoever delivers to it.
            "smtpd_helo_required": "yes",
            "strict_rfc821_envelopes": "yes",
            "smtpd_forbid_bare_newline": "yes",
            "smtpd_forbid_unauth_pipelining": "yes",
            "smtpd_data_restrictions": "reject_unauth_pipelining",
            "notify_classes": "",  # its postmaster is told nothing
            "message_size_limit": "20000000",
            "virtual_mailbox_limit": "0",
            "virtual_mailbox_domains": ", ".join(f"{name}.wild.example" for name in self._servers),
            "virtual_mailbox_base": str(places.mail),
            "virtual_mailbox_maps": f"texthash:{table}",
            "virtual_uid_maps": f"static:{places.uid}",
            "virtual_gid_maps": f"static:{places.gid}",
            "smtpd_tls_chain_files": f"{key}, {chain}",
        }
        settings |= self._more
        (places.config / "main.cf").write_text(
            "".join(f"{name} = {value}\n" for name, value in settings.items())
        )
        first, *others = self._servers
        services = MASTER.format(listen=self._listen(first)) + _MORE_SERVICES
        services += "".join(
            f"{self._listen(name)} inet n - n - - smtpd{self._options(name)}" for name in others
        )
        services = re.sub(
            r"(?m)^(127\S+ +inet.* smtpd)$", rf"\1{self._options(first).rstrip()}", services, count=1
        )
        (places.config / "master.cf").write_text(services)

    def _listen(self, name: str) -> str:
        return f"127.0.0.1:{self.ports[name]}"

    def _options(self, name: str) -> str:
        """Write what a server has of its own; in master.cf a value has no white space, so it takes commas."""
        return "".join(f" -o {key}={value}" for key, value in self._servers[name].items()) + "\n"


def taken_content(delivered: bytes) -> bytes:
    """Take off what Postfix puts before a message in a Maildir, and give the line ends back."""
    its = _ITS_FIELDS.match(delivered)
    assert its is not None, delivered[:1000]
    return delivered[its.end() :].replace(b"\n", b"\r\n")


def without_postfix_line(content: bytes) -> bytes:
    """Take off the one Received that Postfix put before a message that it handed to us."""
    its = _ITS_RECEIVED.match(content)
    assert its is not None, content[:500]
    return content[its.end() :]


def without_our_line(content: bytes) -> bytes:
    """Take off the one Received that our relay put before a message."""
    ours = _OUR_RECEIVED.match(content)
    assert ours is not None, content[:500]
    return content[ours.end() :]
