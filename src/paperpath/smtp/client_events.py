"""What a client core tells its driver: one value for each thing that happened.

`TLSWanted` waits for `ClientConnection.tls_started`, `ContentWanted` for content; behind `Refused` and
`Broken` no transaction can begin on this connection.
"""

from dataclasses import dataclass

from paperpath.mail.reply import Reply
from paperpath.smtp.client_states import Wait
from paperpath.smtp.extensions import Extensions


@dataclass(frozen=True, slots=True)
class Answer:
    """What one recipient got: the peer's reply that decided, or one of ours in the same form.

    Positive only where the peer took responsibility for the content. `is_uncertain`: the content was sent
    whole and no reply to it was understood, so the peer may have taken it; always with a temporary reply of
    ours. The next exchanger must not be tried at once then (RFC 5321 §4.5.3.2.6).
    """

    reply: Reply
    is_ours: bool = False
    is_uncertain: bool = False


@dataclass(frozen=True, slots=True)
class TLSWanted:
    """The peer took STARTTLS: set TLS up, then call `ClientConnection.tls_started`."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The session is open, with these extensions; transactions may begin. Said once."""

    extensions: Extensions


@dataclass(frozen=True, slots=True)
class Refused:
    """The session did not come to be: the greeting, the introduction, STARTTLS or AUTH was refused.

    Of no transaction; `ClientConnection.quit` is the way out. `is_ours`: the reply is not the peer's.
    """

    stage: Wait
    reply: Reply
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class ContentWanted:
    """`send` and `end_content` may be called; by BDAT once for each chunk, see `wants_content`."""


@dataclass(frozen=True, slots=True)
class RecipientAnswered:
    """By LMTP, what one recipient got, by its place, while the replies for others are due (RFC 2033 §5).

    `TransactionEnded` says it again.
    """

    place: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class TransactionEnded:
    """The transaction is over, for better or worse: one answer per recipient, in the order given.

    `None`: not asked in this transaction, since the peer takes no more recipients at once; begin another one
    for those. Where all are `None` this connection takes none of them; another one does.
    """

    answers: tuple[Answer | None, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """The connection is of no more use: lost, said 421, or talked nonsense. Close it; QUIT is not worth it.

    Comes last, behind the `TransactionEnded` of a transaction that was open. `stage`: what was waited for.
    The reply is always temporary.
    """

    stage: Wait
    reply: Reply
    is_ours: bool = False


Event = TLSWanted | Ready | Refused | ContentWanted | RecipientAnswered | TransactionEnded | Broken

TLS_WANTED = TLSWanted()
CONTENT_WANTED = ContentWanted()
