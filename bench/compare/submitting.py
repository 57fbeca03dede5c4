"""Both sides as people submit to them: they log in over STARTTLS once a connection, by PLAIN, and send.

Both look up the password in a file of their own, see to the header, and flush each message, which ends up in
one mailbox. Postfix's is Cyrus SASL with sasldb (Debian: packages sasl2-bin and libsasl2-modules-db).
"""

import sys
from pathlib import Path

import trustme

from bench import ours, postfix
from bench.failure import AbsentError
from bench.process import run_to_end
from bench.relay import RECIPIENT, Relay, free_ports
from bench.source import Load, find_tool

PASSWORD_NAME = "password"

# What submission is for: headers of clients that have logged in are completed (RFC 6409 §8).
SUBMISSION = {
    "local_header_rewrite_clients": "permit_sasl_authenticated",
    "receive_override_options": "",
    "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_sasl_path": "smtpd",
    "smtpd_tls_security_level": "may",
    "smtpd_tls_auth_only": "yes",
    "tls_ssl_options": "NO_COMPRESSION",
}
TLS_MANAGER = "tlsmgr        unix  -       -       n       1000?   1       tlsmgr\n"
SASL = """\
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {database}
mech_list: PLAIN
"""


class Paperpath(ours.Paperpath):
    """Paperpath whose submission is measured; its relay listens elsewhere."""

    def __init__(self, folder: Path, port: int, password: Path) -> None:
        super().__init__(folder, port)
        self._password = password

    def init(self) -> None:
        """Make a configuration with submission, and an account that can log in."""
        port, self.port = self.port, free_ports(1)[0]
        super().init()
        self.port = port
        limits = "".join(f"{key} = {ours.MOST_CONNECTIONS}\n" for key in ours.LIMITS)
        self.append(f'[submission]\nlisten = ["127.0.0.1:{port}"]\n{limits}')
        command = [self.program, "account", "password", "--config", str(self.config), RECIPIENT]
        run_to_end(command, self._password.read_text(encoding="utf-8"))


class Postfix(postfix.Postfix):
    """A private Postfix with TLS and SASL."""

    def __init__(self, name: str, folder: Path, port: int, password: Path) -> None:
        super().__init__(name, folder, port)
        self.tuning |= SUBMISSION | {
            "cyrus_sasl_config_path": str(self.places.config / "sasl"),
            "smtpd_tls_chain_files": str(self.places.config / "certificate.pem"),
        }
        self._password = password

    def prepare(self) -> None:
        """Configure it, with a certificate, and an account that can log in."""
        super().prepare()
        config = self.places.config
        master = config / "master.cf"
        master.write_text(master.read_text(encoding="utf-8") + TLS_MANAGER, encoding="utf-8")
        write_certificate(config / "certificate.pem")
        database = config / "sasldb2"
        folder = config / "sasl"  # where Debian's Postfix looks, whatever main.cf says
        folder.mkdir()
        (folder / "smtpd.conf").write_text(SASL.format(database=database), encoding="utf-8")
        tool = find_tool("saslpasswd2")
        if tool is None:
            raise AbsentError("saslpasswd2 is not installed (Debian: package sasl2-bin).")
        user, _, domain = RECIPIENT.partition("@")
        command = [tool, "-f", str(database), "-c", "-p", "-u", domain, user]
        run_to_end(command, self._password.read_text(encoding="utf-8"))
        database.chmod(0o644)  # for a password that is made up for this run


def write_certificate(file: Path) -> None:
    """Write a key and a certificate that nobody vouches for, as our side makes its own."""
    issued = trustme.CA().issue_cert("localhost")
    file.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
    file.chmod(0o600)


def make(name: str, folder: Path, port: int, password: Path) -> Relay:
    """A side whose mailbox's owner can log in."""
    if name == ours.NAME:
        return Paperpath(folder, port, password)
    return Postfix(name, folder, port, password)


def spell(side: Relay, load: Load, password: Path) -> list[str]:
    """The command line of the source, which knows nothing but kept connections: people log in once."""
    options = ["--port", str(side.port), "--sessions", str(load.sessions), "--messages", str(load.messages)]
    options += ["--length", str(load.length), "--user", RECIPIENT, "--recipient", side.recipient]
    options += ["--password-file", str(password)]
    return [sys.executable, "-m", "bench.submitter", *options]
