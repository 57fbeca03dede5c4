"""What one transaction has come to so far, recipient by recipient (RFC 5321 §4.2.5, §4.5.3.1.10).

Used by the client core, which tells it of each reply; knows no wire. Recipients are numbers: their places in
the transaction.
"""

from paperpath.mail.reply import Reply
from paperpath.smtp.client_events import Answer, RecipientAnswered

# A recipient too many: not its own fault, so it is asked for again (RFC 5321 §4.5.3.1.10, RFC 3463 §3.6).
# Both codes have other meanings too, and the enhanced status, where there is one, tells them apart.
_TOO_MANY = frozenset({(452, ""), (452, "4.5.3"), (552, ""), (552, "5.5.3")})


class Dealing:
    """The answers of one transaction, in the making."""

    def __init__(self, recipients: int) -> None:
        """Begin with no recipient asked for."""
        self.answers: list[Answer | None] = [None] * recipients
        self.asked: list[int] = []  # in the order of RCPT
        self.accepted: list[int] = []  # of those, who shall have the content
        self.content_ended = False
        self._heard = 0  # replies to RCPT
        self._is_settled = False

    def hear_recipient(self, reply: Reply) -> None:
        """Note the reply to the next RCPT; behind a refused sender it means nothing."""
        place = self.asked[self._heard]
        self._heard += 1
        if self._is_settled:
            return
        if reply.is_positive:
            self.accepted.append(place)
        elif not (self.accepted and (reply.code, reply.status) in _TOO_MANY):
            self.answers[place] = Answer(reply)

    def hear_content(self, reply: Reply) -> RecipientAnswered:
        """Note the reply to the content for the next recipient alone (RFC 2033 §4.2)."""
        place, answer = self.accepted.pop(0), Answer(reply)
        self.answers[place] = answer
        return RecipientAnswered(place, answer)

    def settle(self, answer: Answer) -> None:
        """Give the same answer to all who are pending: accepted, or asked for and without a reply yet."""
        if not self._is_settled:
            for place in self.accepted:
                self.answers[place] = answer
            for place in self.asked[self._heard :]:
                self.answers[place] = answer
        self.accepted.clear()
        self._is_settled = True
