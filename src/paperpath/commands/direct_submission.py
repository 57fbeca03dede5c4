"""Direct submission: mail in canonical form into the drop directory, without any daemon (J-16, B-26).

Used by mailto, and by sendmail where it may while smtpsd is away. It imports more than SMTP takes, so
sendmail comes here only when it must.
"""

import grp
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from paperpath.commands.exits import Exit, ExitError, choose_exit
from paperpath.commands.plain_configuration import PlainConfiguration
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import NO_CLIENT, NO_PARAMETERS, Envelope, Recipient, SenderParameters
from paperpath.mail.reply import Reply
from paperpath.maildrop.drop.format import DropError
from paperpath.maildrop.drop.writer import drop_message
from paperpath.submission.canonical.body import BodyScan
from paperpath.submission.canonical.envelope import complete_recipient, complete_sender
from paperpath.submission.canonical.form import canonicalize
from paperpath.submission.canonical.refusals import CanonicalError
from paperpath.submission.canonical.values import Canonical, CanonicalRules, Masquerade, Submitted
from paperpath.submission.masquerade_file import MasqueradeFileError, load_masquerade


class Content(Protocol):
    """A message with CRLF at the end of its lines; an empty line belongs between its two parts."""

    @property
    def header(self) -> bytes:
        """The header section, with the end of its last line."""

    def read_body(self) -> Iterator[bytes]:
        """Give the body, as often as it is asked for. Raises: OSError."""


@dataclass(frozen=True, slots=True)
class Submission:
    """An envelope as it was typed. `own` is who submits, with the name that goes with it if that is known."""

    own: Mailbox
    sender: Mailbox | None
    recipients: tuple[Recipient, ...]
    parameters: SenderParameters = NO_PARAMETERS
    full_name: str = ""


def submit_directly(configuration: PlainConfiguration, submission: Submission, content: Content) -> str:
    """Complete a message and leave it in the drop directory, flushed; return the file's name.

    Raises: ExitError; OSError, where the content cannot be read or there is no room.
    """
    rules = _make_rules(configuration)
    sender = submission.sender and _accept(complete_sender(submission.sender, rules))
    recipients = tuple(
        replace(recipient, address=_accept(complete_recipient(recipient.address, rules)))
        for recipient in submission.recipients
    )
    canonical = _canonicalize(replace(submission, sender=sender), content, rules)
    parameters = replace(submission.parameters, body="8BITMIME" if canonical.is_eight_bit else "")
    envelope = Envelope(sender, recipients, NO_CLIENT, parameters)
    try:
        pieces = _write(canonical, content)
        return drop_message(
            configuration.drop_folder, envelope, pieces, most_octets=configuration.drop_octets
        )
    except DropError as error:
        raise ExitError(Exit.BAD_DATA, str(error)) from None
    except (PermissionError, FileNotFoundError, NotADirectoryError) as error:
        reason = f"you may not leave mail in {configuration.drop_folder}: {error.strerror}"
        raise ExitError(Exit.NOT_ALLOWED, reason + _find_remedy(configuration.drop_folder)) from None


def _find_remedy(folder: Path) -> str:
    """Say what would help who may not write there, if that is known."""
    try:
        status = folder.stat()
        group = grp.getgrgid(status.st_gid).gr_name
    except FileNotFoundError:
        return "; `paperpath up` makes it"
    except (OSError, KeyError):  # a folder above is closed to him, or the group has no name
        return ""
    return "" if status.st_mode & stat.S_IWOTH else f"; members of the group {group} may"


def _make_rules(configuration: PlainConfiguration) -> CanonicalRules:
    """Make the rules. Raises: ExitError."""
    table = configuration.canonical
    try:
        masquerade = (
            Masquerade(table.hidden, table.shown)
            if table.users is None
            else load_masquerade(table.users, table.hidden, table.shown)
        )
    except MasqueradeFileError as error:
        raise ExitError(Exit.CONFIGURATION, str(error)) from error
    return CanonicalRules(
        hostname=configuration.hostname,
        domain=table.domain,
        is_known=lambda _: True,  # the accounts are not for everybody to read; who is unknown gets a report
        parent=table.parent,
        is_strict=table.is_strict,
        masquerade=masquerade,
        encode_8bit=table.encode_8bit,
    )


def _accept(completed: Mailbox | Reply) -> Mailbox:
    if isinstance(completed, Reply):
        raise ExitError(choose_exit(completed), str(completed))
    return completed


def _canonicalize(submission: Submission, content: Content, rules: CanonicalRules) -> Canonical:
    """Put the header into canonical form. Raises: ExitError, OSError."""
    scan = BodyScan(content.header)
    for octets in content.read_body():
        scan.add(octets)
    submitted = Submitted(
        submission.sender,
        datetime.now().astimezone(),
        f"{time.time_ns():x}.{os.urandom(8).hex()}",
        identity=submission.own,
        full_name=submission.full_name,
        international=submission.parameters.international,
    )
    try:
        return canonicalize(content.header, scan.finish(), submitted, rules)
    except CanonicalError as error:
        raise ExitError(choose_exit(error.reply), str(error.reply)) from None


def _write(canonical: Canonical, content: Content) -> Iterator[bytes]:
    """Give header and body as they go out, every line ended. Raises: OSError."""
    yield canonical.header + b"\r\n"
    encoder = canonical.encoder
    for octets in content.read_body():
        yield octets if encoder is None else encoder.encode(octets)
    if encoder is not None:
        yield encoder.finish()
