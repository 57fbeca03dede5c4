"""Between the maildrop's values and the channel's: jobs from claims, outcomes from answers. Pure."""

from collections.abc import Sequence

from paperpath.mail.address import Mailbox
from paperpath.mail.outcome import Deferred, Delivered, Failed, Outcome, SetAside
from paperpath.mail.reply import Reply
from paperpath.maildrop.values import Claim
from paperpath.remote.jobs import Address, Answered, Job, JobContent, JobRecipient
from paperpath.routing.forwards import find_ruler

_Unit = tuple[int, str, Mailbox | None]

MOST_TOGETHER = 100  # recipients (RFC 5321 §4.5.3.1.8: what every host must take)


def group_claims(claims: Sequence[Claim]) -> list[tuple[Claim, ...]]:
    """Put together what goes in one transaction: one message, one destination, one return path."""
    units: dict[_Unit, list[Claim]] = {}
    for claim in claims:
        units.setdefault((claim.message.id, claim.destination, claim.return_path), []).append(claim)
    return [
        tuple(unit[start : start + MOST_TOGETHER])
        for unit in units.values()
        for start in range(0, len(unit), MOST_TOGETHER)
    ]


def make_job(number: int, claims: Sequence[Claim], most_connections: int) -> Job:
    """Describe what is to be done for claims that go together."""
    first = claims[0]
    message = first.message
    parameters, content = message.parameters, message.content
    return Job(
        number,
        first.destination,
        most_connections,
        message.queue_id,
        None if first.return_path is None else _to_address(first.return_path),
        parameters.body,
        parameters.international,
        parameters.ret,
        parameters.envid,
        tuple(map(_make_recipient, claims)),
        JobContent(
            content.size,
            content.digest,
            content.octets,
            None if content.file is None else str(content.file.absolute()),
        ),
    )


def _make_recipient(claim: Claim) -> JobRecipient:
    ruler = find_ruler(claim.expanded_via)
    return JobRecipient(
        _to_address(claim.address), claim.notify, claim.orcpt, None if ruler is None else _to_address(ruler)
    )


def read_reply(answer: Answered) -> Reply:
    """Return the reply that an answer has."""
    return Reply(answer.code, answer.status, answer.lines)


def make_answer(
    what: str, reply: Reply, host: str = "", *, takes_over: bool = False, is_final: bool = False
) -> Answered:
    """Say what became of a recipient, for the way over the channel."""
    return Answered(what, reply.code, reply.status, reply.lines, host, takes_over, is_final)


def make_outcome(answer: Answered, due_us: int) -> Outcome:
    """Return the outcome that an answer means; one that is deferred is due again then."""
    reply = read_reply(answer)
    match answer.what:
        case "delivered":
            return Delivered(reply, answer.host, answer.takes_over, answer.is_final)
        case "failed":
            return Failed(reply, answer.host)
        case "damaged":
            return SetAside(reply)
        case _:
            return Deferred(reply, due_us, host=answer.host)


def _to_address(mailbox: Mailbox) -> Address:
    return mailbox.local, mailbox.domain
