"""What a server announces and enforces: one value, the same for all sessions of a program."""

from dataclasses import dataclass
from functools import cached_property

from paperpath.mail.reply import Reply
from paperpath.smtp import replies


@dataclass(frozen=True)
class Settings:
    """Limits and extensions. `size`: octets of content; `line_octets`: of a command line with its CRLF.

    `tls`: STARTTLS can be carried out; `tls_required`: nothing of use is done before it (RFC 3207 §4).
    `dsn`: delivery reports are made as asked for (RFC 3461); `binary`: BODY=BINARYMIME is taken (RFC 3030).

    `submission`: addresses may be as people type them, without a domain or with a dot at its end; whoever
    drives the core completes them (RFC 6409 §4.2). `mechanisms`: of AUTH, in the order of our preference,
    from sasl.MECHANISMS; they are usable inside TLS, and in the clear only where `auth_in_clear`, on sockets
    that nobody can listen to. `auth_required`: nothing of use is done for strangers (RFC 4954 §6).
    `failed_logins`: so many end the session.
    """

    hostname: str
    size: int
    recipients: int
    line_octets: int = 4096
    errors: int = 20
    tls: bool = False
    tls_required: bool = False
    dsn: bool = False
    binary: bool = False
    submission: bool = False
    mechanisms: tuple[str, ...] = ()
    auth_in_clear: bool = False
    auth_required: bool = False
    failed_logins: int = 5

    @cached_property
    def keywords(self) -> tuple[str, ...]:
        """The EHLO keywords of an encrypted session, each of which works; AUTH depends on the client."""
        return (
            "PIPELINING",
            f"SIZE {self.size}",
            "8BITMIME",
            "SMTPUTF8",
            "CHUNKING",
            *(("BINARYMIME",) if self.binary else ()),
            "ENHANCEDSTATUSCODES",
            *(("DSN",) if self.dsn else ()),
            f"LIMITS RCPTMAX={self.recipients}",
            "HELP",
        )

    @cached_property
    def keywords_in_clear(self) -> tuple[str, ...]:
        """The EHLO keywords before encryption: STARTTLS too, where there is a certificate (RFC 3207 §4)."""
        return (*self.keywords, "STARTTLS") if self.tls else self.keywords

    @cached_property
    def greeting(self) -> Reply:
        """The greeting."""
        return replies.greeting(self.hostname)
