"""What sendmail does most often: takes a message from standard input and hands it over (J-1, J-11 to J-13).

The message is read to its end before anything is said to anybody. Whatever fails then, it is kept for its
author, with the names of those who are not to get it.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from paperpath.commands.dead_letter import keep_for_author
from paperpath.commands.exits import Exit, ExitError, choose_exit, choose_worst, describe_failure
from paperpath.commands.handed_message import HandedMessage, read_message
from paperpath.commands.own_address import find_own_address
from paperpath.commands.plain_configuration import PlainConfiguration, find_configuration, load_plain
from paperpath.commands.sendmail_envelope import Posting, make_posting
from paperpath.commands.sendmail_options import Options
from paperpath.commands.submission_session import AwayError, Session, connect
from paperpath.mail.address import Mailbox
from paperpath.mail.reply import Reply
from paperpath.smtp.transaction import Transaction

STDIN = 0
_MOST_SHOWN = 5  # recipients that share a reply

Refusals = Sequence[tuple[Mailbox, Reply]]


def deliver(options: Options, environment: Mapping[str, str]) -> None:
    """Hand over what stands on standard input; on return it is taken for all recipients (D-1).

    Raises: ExitError; OSError, where it cannot be read for lack of room.
    """
    with closing(read_message(STDIN, ends_at_dot=not options.ignores_dots)) as message:
        left: Sequence[str] = options.recipients
        try:
            refusals = _send(options, message, environment)
            if not refusals:
                return
            left = [str(recipient) for recipient, _ in refusals]
            failure = _describe(refusals)
        except (ExitError, OSError) as error:
            failure = describe_failure(error)
        if not options.is_quiet:
            kept = keep_for_author(message.read(), left, environment)
            failure = ExitError(failure.exit_code, f"{failure}\n{kept}")
        raise failure


def _send(options: Options, message: HandedMessage, environment: Mapping[str, str]) -> Refusals:
    """Send it; return who is not to get it, and why. Raises: ExitError, OSError."""
    if options.full_name is None:
        options = replace(options, full_name=environment.get("NAME"))
    configuration = load_plain(find_configuration(environment))
    own = find_own_address(configuration)
    posting = make_posting(options, message.header, own, binds_senders=configuration.binds_senders)
    message = replace(message, header=posting.header)
    try:
        return _submit(configuration, posting, message)
    except AwayError as error:
        away = f"smtpsd takes no mail now: {error}"
    if not configuration.drops_when_down:
        raise ExitError(Exit.LATER, away)
    try:
        _drop(configuration, posting, message, own)
    except ExitError as error:
        if error.exit_code is not Exit.NOT_ALLOWED:
            raise
        raise ExitError(Exit.LATER, f"{away}; {error}") from None  # smtpsd will take it from him
    return ()


def _submit(configuration: PlainConfiguration, posting: Posting, message: HandedMessage) -> Refusals:
    """Hand it to smtpsd; return who is refused. Raises: AwayError, ExitError, OSError."""
    transaction = Transaction(
        posting.sender,
        posting.recipients,
        message.size,
        posting.parameters,
        message.has_8bit,
        not message.header.isascii(),
    )
    with closing(Session(connect(configuration.submission), configuration.hostname)) as session:
        session.open()
        try:
            answers = session.submit(transaction, message.read)
        except ExitError as error:  # a signal
            if session.is_uncertain:
                raise ExitError(error.exit_code, f"{error}; the message may have been taken") from None
            raise
    return [
        (recipient.address, answer.reply)
        for recipient, answer in zip(posting.recipients, answers, strict=True)
        if not answer.reply.is_positive
    ]


def _drop(configuration: PlainConfiguration, posting: Posting, message: HandedMessage, own: Mailbox) -> None:
    """Leave it in the drop directory. Raises: ExitError, OSError."""
    # Here alone, for most messages never go that way, and it costs as much again as all the rest.
    from paperpath.commands.direct_submission import Submission, submit_directly

    submission = Submission(own, posting.sender, posting.recipients, posting.parameters)
    submit_directly(configuration, submission, message)


def _describe(refusals: Refusals) -> ExitError:
    """Say who was refused, and why: a line for each reply."""
    by_reply: dict[Reply, list[Mailbox]] = {}
    for recipient, reply in refusals:
        by_reply.setdefault(reply, []).append(recipient)
    lines = [f"{_list(recipients)}: {reply}" for reply, recipients in by_reply.items()]
    return ExitError(choose_worst(map(choose_exit, by_reply)), "\n".join(lines))


def _list(recipients: Sequence[Mailbox]) -> str:
    shown = ", ".join(map(str, recipients[:_MOST_SHOWN]))
    more = len(recipients) - _MOST_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
