"""The ways Postfix is set up here: as it comes, tuned for this load, and with all that an expert would find.

All get what it takes to run a private instance that delivers to one Maildir (`private`), and all keep
Postfix's durability: the queue file is flushed before a message is accepted, the Maildir file before it
is taken off the queue. Each line on top says why. Pure data: nothing here touches a file.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.relay import DOMAIN, RECIPIENT

DEFAULT: dict[str, str] = {}

TUNED: dict[str, str] = {
    # Processes live through the whole run instead of 100 clients or deliveries.
    "max_use": "100000",
    "max_idle": "3600s",
    # No name look-ups of any kind.
    "smtpd_peername_lookup": "no",
    "disable_dns_lookups": "yes",
    # No log, whether or not a syslogd runs: with a log file named, Postfix hands its lines to postlogd
    # instead of syslogd; master.cf has no postlogd, so a line ends with one failed connect(2). The
    # file is only written by programs that may not wait for postlogd, and so it must be writable.
    "maillog_file": "/dev/null",
    "maillog_file_prefixes": "/dev/null",
}

EXPERT: dict[str, str] = TUNED | {
    "default_process_limit": "100",
    # The accepting side does not slow down for the delivering side.
    "in_flow_delay": "0",
    # One address family to think of.
    "inet_protocols": "ipv4",
    # No client limits, so smtpd never asks anvil(8).
    "smtpd_client_connection_count_limit": "0",
    "smtpd_client_connection_rate_limit": "0",
    "smtpd_client_message_rate_limit": "0",
    "smtpd_client_recipient_rate_limit": "0",
    # Checks and rewriting that find nothing to do in this load.
    "receive_override_options": "no_address_mappings, no_header_body_checks, no_milters",
    "disable_mime_input_processing": "yes",
    "local_header_rewrite_clients": "",
    "smtpd_reject_unlisted_recipient": "no",
    "enable_original_recipient": "no",
    "smtputf8_enable": "no",
    "address_verify_map": "",
    "virtual_alias_maps": "",
    "virtual_alias_domains": "",
    # No size limits to compare with.
    "mailbox_size_limit": "0",
    "virtual_mailbox_limit": "0",
}

RELAYING: dict[str, str] = TUNED | {
    # As many processes as sessions come in and connections go out.
    "default_process_limit": "200",
    # The accepting side does not slow down for the delivering side.
    "in_flow_delay": "0",
    # As many connections to the sink as we have to it at most, and at once so many.
    "smtp_destination_concurrency_limit": "20",
    "initial_destination_concurrency": "20",
    # A connection that is kept is kept for good; by default for 300 s.
    "smtp_connection_reuse_time_limit": "3600s",
    # Nothing to look for in the sink's abilities.
    "smtp_tls_security_level": "none",
}

# Nothing but taking mail: each message stays on hold until it is released.
HOLD: dict[str, str] = {"smtpd_client_restrictions": "check_client_access static:HOLD"}

HOLDING: dict[str, str] = (
    TUNED
    | HOLD
    | {
        # As many processes as sessions come in.
        "default_process_limit": "200",
        # The accepting side does not wait for a delivering side that has nothing to do.
        "in_flow_delay": "0",
    }
)

RELAYING_EXPERT: dict[str, str] = EXPERT | RELAYING

MASTER = """\
# service     type  private unpriv  chroot  wakeup  maxproc command
{listen}  inet  n       -       n       -       -       smtpd
pickup        unix  n       -       n       60      1       pickup
cleanup       unix  n       -       n       -       0       cleanup
qmgr          unix  n       -       n       300     1       qmgr
rewrite       unix  -       -       n       -       -       trivial-rewrite
bounce        unix  -       -       n       -       0       bounce
defer         unix  -       -       n       -       0       bounce
trace         unix  -       -       n       -       0       bounce
proxymap      unix  -       -       n       -       -       proxymap
error         unix  -       -       n       -       -       error
retry         unix  -       -       n       -       -       error
virtual       unix  -       n       n       -       -       virtual
anvil         unix  -       -       n       -       1       anvil
smtp          unix  -       -       n       -       -       smtp
scache        unix  -       -       n       -       1       scache
"""


@dataclasses.dataclass(frozen=True)
class Places:
    """Where a private instance keeps its things, and as whom it delivers (numeric ids)."""

    config: Path
    queue: Path
    data: Path
    mail: Path
    daemons: Path
    mail_owner: str
    setgid_group: str
    uid: int
    gid: int


def private(places: Places) -> dict[str, str]:
    """The main.cf settings that any instance here needs, whatever its tuning."""
    return {
        "compatibility_level": "3.6",
        "queue_directory": str(places.queue),
        "data_directory": str(places.data),
        "daemon_directory": str(places.daemons),
        "mail_owner": places.mail_owner,
        "setgid_group": places.setgid_group,
        "inet_interfaces": "loopback-only",
        "myhostname": f"mx.{DOMAIN}",
        "mydestination": "",
        "alias_maps": "",
        "local_recipient_maps": "",
    }


def to_maildir(places: Places) -> dict[str, str]:
    """The main.cf settings that have all mail delivered into one Maildir."""
    return {
        "virtual_mailbox_domains": DOMAIN,
        "virtual_mailbox_base": str(places.mail),
        "virtual_mailbox_maps": f"static:{RECIPIENT.partition('@')[0]}/",
        "virtual_uid_maps": f"static:{places.uid}",
        "virtual_gid_maps": f"static:{places.gid}",
    }


def to_maildirs(places: Places, mailboxes: Sequence[str]) -> dict[str, str]:
    """The main.cf settings that have the mail of each of these local parts delivered into its own Maildir."""
    entries = ", ".join(f"{{ {local}@{DOMAIN} = {local}/ }}" for local in mailboxes)
    return to_maildir(places) | {"virtual_mailbox_maps": f"inline:{{ {entries} }}"}


def to_sink(_: Places, port: int) -> dict[str, str]:
    """The main.cf settings that have all mail relayed to 127.0.0.1:`port`."""
    return {"relay_domains": DOMAIN, "relay_transport": f"smtp:[127.0.0.1]:{port}"}


def main_cf(places: Places, way: Mapping[str, str], tuning: Mapping[str, str]) -> str:
    """The text of main.cf: the private instance's settings, the way of its mail, then the tuning."""
    lines = [f"{name} = {value}".rstrip() for name, value in {**private(places), **way, **tuning}.items()]
    return "\n".join(lines) + "\n"


def master_cf(port: int) -> str:
    """The text of master.cf: one SMTP server on 127.0.0.1:`port`, no chroot, no postlog service."""
    return MASTER.format(listen=f"127.0.0.1:{port}")
