"""Every reply that our client gives itself, where the peer gave none or one that cannot stand; by name."""

from paperpath.mail.reply import Reply, make_reply

R451_LOST = make_reply(451, "4.4.2", "The connection was lost")
R451_NONSENSE = make_reply(451, "4.5.0", "The peer said what is no reply")
R451_TOO_MUCH = make_reply(451, "4.5.0", "The peer said more than it was asked")
R451_NO_PERMISSION = make_reply(451, "4.5.0", "The peer answered DATA with a reply that permits no content")
R451_UNANSWERED = make_reply(
    451, "4.4.2", "The connection was lost before the reply to the whole message; it may have been taken"
)
R451_OCTETS_BEHIND_STARTTLS = make_reply(
    451, "4.7.0", "Something came in the clear behind the reply to STARTTLS, where nothing may be"
)
R454_NO_TLS_OFFERED = make_reply(454, "4.7.0", "The peer offers no TLS, and this route asks for it")
R454_AUTH_IN_CLEAR = make_reply(454, "4.7.0", "No TLS is in force, and the password is not sent without it")
R454_NO_MECHANISM = make_reply(454, "4.7.0", "The peer offers no way to log in that we know")
R454_LOGIN_UNFINISHED = make_reply(
    454, "4.7.0", "The peer let us in before it had heard, or had proved, what it takes to do so"
)
R554_NO_EIGHT_BIT = make_reply(554, "5.6.3", "The message has 8-bit content, which the peer does not take")
R554_NO_BINARY = make_reply(554, "5.6.3", "The message is binary, which the peer does not take")
R553_NOT_ASCII = make_reply(
    553, "5.6.7", "The message has addresses outside ASCII, which the peer does not take"
)
R552_TOO_BIG = make_reply(552, "5.3.4", "The message is bigger than the peer takes")
R554_BARE_NEWLINE = make_reply(
    554, "5.6.0", "The message holds a bare CR or LF, and is not sent (RFC 5321 section 2.3.8)"
)
R451_NOT_SENDABLE = make_reply(451, "4.5.0", "The connection was closed within a message that cannot be sent")


def out_of_place(reply: Reply) -> Reply:
    """Make the reply that stands for one which cannot be due where it came; it is shown in it."""
    return make_reply(451, "4.5.0", f"The peer said at the wrong place: {reply}")


def no_lmtp(reply: Reply) -> Reply:
    """Make the reply for a peer that refuses LHLO: a mistake in our routes, for which no mail goes back."""
    return make_reply(451, "4.5.0", f"The peer does not speak LMTP; it said: {reply}")
