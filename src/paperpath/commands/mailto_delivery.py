"""What mailto does: takes a text from standard input, and leaves a message in the drop directory (J-16, L-9).

What is wrong with the command line or with what is attached is told before the text is read. Whatever fails
then, the text is kept for its author, with the names of those who are not to get it.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from paperpath.commands.attachment import Attachment, attach
from paperpath.commands.dead_letter import keep_for_author
from paperpath.commands.direct_submission import Submission, submit_directly
from paperpath.commands.exits import Exit, ExitError, describe_failure
from paperpath.commands.handed_message import HandedMessage, read_text
from paperpath.commands.mailto_content import make_content
from paperpath.commands.mailto_heading import Heading, choose_originators, read_heading
from paperpath.commands.mailto_options import Options
from paperpath.commands.own_address import find_own_address
from paperpath.commands.plain_configuration import PlainConfiguration, find_configuration, load_plain
from paperpath.commands.plain_process import tell
from paperpath.mail.envelope import Recipient, SenderParameters

STDIN = 0
_HINT = "type the message; a line with only a dot ends it, and Ctrl-C gives it up"


def deliver(options: Options, environment: Mapping[str, str]) -> str:
    """Send what stands on standard input; on return it is on the disk (D-1). Return what was done.

    Raises: ExitError; OSError, where the text cannot be read for lack of room.
    """
    heading = read_heading(options)
    with ExitStack() as opened:
        attachments = [opened.enter_context(closing(attach(word))) for word in options.attachments]
        text = opened.enter_context(closing(_read_text()))
        if options.skips_empty and not any(text.read_body()):
            return "the text is empty, so nothing is sent"
        try:
            return _submit(options, heading, text, attachments, environment)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody has written that text
            failure = describe_failure(error)
        kept = keep_for_author(_assemble(heading, text), list(map(str, heading.recipients)), environment)
        files = ", without what is attached" if attachments else ""
        raise ExitError(failure.exit_code, f"{failure}\n{kept}{files}")


def _read_text() -> HandedMessage:
    """Read the text, which ends with a lone dot only where somebody types it. Raises: ExitError, OSError."""
    is_typed = os.isatty(STDIN)
    if is_typed:
        tell("mailto", _HINT)
    return read_text(STDIN, ends_at_dot=is_typed)


def _submit(
    options: Options,
    heading: Heading,
    text: HandedMessage,
    attachments: Sequence[Attachment],
    environment: Mapping[str, str],
) -> str:
    """Leave it in the drop directory; return what was done. Raises: ExitError, OSError."""
    file = Path(options.file).absolute() if options.file else find_configuration(environment)
    configuration = load_plain(file)
    _check_size(configuration, text, attachments)
    own = find_own_address(configuration)
    sender, originators = choose_originators(heading, own, binds_senders=configuration.binds_senders)
    submission = Submission(
        own,
        sender,
        tuple(map(Recipient, heading.recipients)),
        SenderParameters(international=heading.is_international),
        environment.get("NAME", ""),
    )
    header, token = originators + heading.fields, os.urandom(16).hex()
    content = make_content(header, heading.content_fields, text, attachments, token)
    name = submit_directly(configuration, submission, content)
    return f"left for {len(heading.recipients)} recipients in {configuration.drop_folder}, as {name}"


def _check_size(
    configuration: PlainConfiguration, text: HandedMessage, attachments: Sequence[Attachment]
) -> None:
    """Refuse at once what cannot fit, however much it is. Raises: ExitError."""
    least = text.size + sum(attachment.size for attachment in attachments)
    if least > configuration.drop_octets:
        raise ExitError(
            Exit.BAD_DATA,
            f"the message has more than {configuration.drop_octets} octets, the most of drop.size",
        )


def _assemble(heading: Heading, text: HandedMessage) -> Iterator[bytes]:
    """Give what is kept of a message: what was attached is where it was."""
    yield heading.fields + heading.content_fields + b"\r\n"
    yield from text.read_body()
