"""What an IMAP server announces and enforces: one value, the same for all sessions of a program."""

from dataclasses import dataclass

from paperpath.imap.extensions import Extension


@dataclass(frozen=True)
class Settings:
    """Limits and extensions.

    `extensions`: what the driver carries out. `message_octets`: of one message of APPEND.
    `command_octets`: of a whole command with its literals, but for messages; before a login
    `stranger_octets`. `errors`: so many commands that are answered with BAD end the session.

    `tls`: STARTTLS can be carried out. `mechanisms`: of AUTHENTICATE, in the order of our preference, from
    `paperpath.smtp.sasl`; they and LOGIN are usable inside TLS, and in the clear only where `auth_in_clear`.
    `failed_logins`: so many end the session. `identity`: what ID answers.
    """

    hostname: str
    message_octets: int
    extensions: frozenset[Extension] = frozenset()
    command_octets: int = 65_536
    stranger_octets: int = 16_384
    errors: int = 20
    tls: bool = False
    mechanisms: tuple[str, ...] = ()
    auth_in_clear: bool = False
    failed_logins: int = 5
    identity: tuple[tuple[str, str], ...] = (("name", "Paperpath"),)
