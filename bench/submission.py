"""The load test of submission, beside Postfix: `.venv/bin/python -m bench.submission [options]`.

People log in over STARTTLS once a connection, by PLAIN, and send message after message into one mailbox. Both
sides look up the password in a file of their own, see to the header, and flush each message. Postfix's is
Cyrus SASL with sasldb (Debian: packages sasl2-bin and libsasl2-modules-db).
"""

import argparse
import contextlib
import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import trustme

from bench import ours, postfix, settings
from bench.comparison import Comparison, compare, make_sides
from bench.failure import AbsentError, BenchError
from bench.relay import RECIPIENT, Relay, free_ports
from bench.source import Load, find_tool

PASSWORD_NAME = "password"
EXAMPLE = """\
example:
  python -m bench.submission --connections kept --only paperpath,postfix-tuned --rounds 3
"""

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
        run(command, self._password.read_text(encoding="utf-8"))


class Postfix(postfix.Postfix):
    """A private Postfix with TLS and SASL."""

    def __init__(self, name: str, folder: Path, port: int, password: Path) -> None:
        super().__init__(name, postfix.Installation(), folder, port)
        self._password = password

    def _main_cf(self) -> str:
        places = self._places
        files = {
            "cyrus_sasl_config_path": str(places.config / "sasl"),
            "smtpd_tls_chain_files": str(places.config / "certificate.pem"),
        }
        tuning = postfix.TUNINGS[self.name] | SUBMISSION | files
        return settings.main_cf(places, settings.to_maildir(places), tuning)

    def _write_configuration(self) -> None:
        super()._write_configuration()
        config = self._places.config
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
        run(command, self._password.read_text(encoding="utf-8"))
        database.chmod(0o644)  # for a password that is made up for this run


def run(command: Sequence[str], text: str) -> None:
    """Run a command to its end; BenchError with what it said if it fails."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"{command[0]} failed with status {done.returncode}:\n{done.stderr}")


def write_certificate(file: Path) -> None:
    """Write a key and a certificate that nobody vouches for, as our side makes its own."""
    issued = trustme.CA().issue_cert("localhost")
    file.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
    file.chmod(0o600)


@contextlib.contextmanager
def open_sides(names: Sequence[str], folder: Path, _: argparse.Namespace) -> Iterator[list[Relay]]:
    """Paperpath and Postfix, each with one mailbox, whose owner can log in."""
    password = folder / PASSWORD_NAME
    password.write_text(secrets.token_hex(16), encoding="utf-8")

    def make(name: str, own: Path, port: int) -> Relay:
        if name == ours.NAME:
            return Paperpath(own, port, password)
        return Postfix(name, own, port, password)

    yield make_sides(names, folder, make)


def command(folder: Path, side: Relay, load: Load) -> list[str]:
    """The command line of the source."""
    if not load.kept:
        raise BenchError("Submission is measured with --connections kept: people log in once.")
    options = ["--port", str(side.port), "--sessions", str(load.sessions), "--messages", str(load.messages)]
    options += ["--length", str(load.length), "--user", RECIPIENT, "--recipient", side.recipient]
    options += ["--password-file", str(folder / PASSWORD_NAME)]
    return [sys.executable, "-m", "bench.submitter", *options]


COMPARISON = Comparison(
    "bench.submission",
    "Measure messages per second that people submit to Paperpath beside Postfix.",
    EXAMPLE,
    open_sides,
    command=command,
)

if __name__ == "__main__":
    sys.exit(compare(COMPARISON))
