"""Every reply that our servers give, by name; the name carries the number.

Codes as RFC 5321 §4.2.3 and RFC 3463, 5248 have them; texts are for the person who reads a log.
"""

import base64
from functools import lru_cache

from paperpath.mail.reply import Reply, make_reply

R214_HELP = make_reply(
    214, "2.0.0", "HELO EHLO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP STARTTLS QUIT; see RFC 5321"
)
R214_HELP_WITH_AUTH = make_reply(
    214,
    "2.0.0",
    "HELO EHLO AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY HELP STARTTLS QUIT; see RFC 5321 and RFC 4954",
)
R220_START_TLS = make_reply(220, "2.0.0", "Go ahead with TLS")
R221_BYE = make_reply(221, "2.0.0", "Bye")
R235_LOGGED_IN = make_reply(235, "2.7.0", "Logged in")
R250_DONE = make_reply(250, "2.0.0", "Done")
R250_SENDER = make_reply(250, "2.1.0", "Sender taken")
R250_RECIPIENT = make_reply(250, "2.1.5", "Recipient taken")
R252_TRY = make_reply(252, "2.0.0", "Not verified here; send some mail and see")
R334_CHALLENGE = Reply(334, "", ("",))  # what observers see in place of any
R354_GO_AHEAD = Reply(354, "", ("Go ahead; end with <CRLF>.<CRLF>",))

R421_IDLE = make_reply(421, "4.4.2", "Silent for too long; closing")
R421_NOT_SMTP = make_reply(421, "4.7.0", "This is an SMTP server, and that was not SMTP; closing")
R421_OCTETS_BEFORE_TLS = make_reply(421, "4.7.0", "Something came behind STARTTLS before the reply; closing")
R421_SHUTTING_DOWN = make_reply(421, "4.3.2", "Shutting down; come back soon")
R421_TOO_MANY_CONNECTIONS = make_reply(421, "4.3.2", "Too many connections; come back soon")
R421_TOO_MANY_FROM_CLIENT = make_reply(421, "4.3.2", "Too many connections from your address; closing")
R421_TOO_MANY_ERRORS = make_reply(421, "4.7.0", "Too many errors; closing")
R421_TOO_MANY_CHUNKS = make_reply(421, "4.7.0", "Too many small chunks; closing")
R421_TOO_OFTEN = make_reply(421, "4.7.0", "Too many connections from your network lately; come back later")
R421_TOO_SLOW = make_reply(421, "4.4.2", "The transaction takes too long; closing")
R450_TOO_MANY_MESSAGES = make_reply(
    450, "4.7.1", "Too many messages from your network lately; try again later"
)
R450_TOO_MANY_RECIPIENTS = make_reply(
    450, "4.7.1", "Too many recipients from your network lately; try again later"
)
R451_NOT_STORED = make_reply(451, "4.3.0", "The message could not be stored; try again later")
R452_NO_SPACE = make_reply(452, "4.3.1", "No space for the message now; try again later")
R452_TOO_MANY_RECIPIENTS = make_reply(
    452, "4.5.3", "Too many recipients; send to the rest in another transaction"
)
R454_NO_LOGIN = make_reply(454, "4.7.0", "Nobody can be let in just now; come back soon")
R454_NO_TLS = make_reply(454, "4.7.0", "TLS is not available just now")

R500_LINE_TOO_LONG = make_reply(500, "5.5.2", "The command line is too long")
R500_BARE_NEWLINE = make_reply(500, "5.5.2", "A command line ends with CRLF and holds no CR or LF of its own")
R500_UNKNOWN = make_reply(500, "5.5.1", "No such command")
R500_ANSWER_TOO_LONG = make_reply(500, "5.5.6", "The answer is too long")
R501_NO_ARGUMENT = make_reply(501, "5.5.4", "This command takes no argument")
R501_NEEDS_ARGUMENT = make_reply(501, "5.5.4", "This command needs an argument")
R501_HELLO_NEEDS_NAME = make_reply(501, "5.5.4", "Say who you are: a domain or an address literal")
R501_BAD_PARAMETER = make_reply(501, "5.5.4", "A parameter is malformed or repeated")
R501_NOT_BASE64 = make_reply(501, "5.5.2", "That is not base64")
R501_CANCELLED = make_reply(501, "5.7.0", "You are not logged in, as you wish")
R501_BAD_CHUNK = make_reply(501, "5.5.4", "BDAT needs a size in octets, and LAST or nothing; closing")
R502_NOT_IMPLEMENTED = make_reply(502, "5.5.1", "This command is not implemented")
R503_HELLO_FIRST = make_reply(503, "5.5.1", "Say EHLO or HELO first")
R503_MAIL_FIRST = make_reply(503, "5.5.1", "Say MAIL first")
R503_ONE_MAIL = make_reply(503, "5.5.1", "A sender was already given; RSET begins anew")
R503_RECIPIENT_FIRST = make_reply(503, "5.5.1", "No recipient was taken, so there is nobody to send this to")
R503_LAST_CHUNK_FIRST = make_reply(503, "5.5.1", "Chunks have come; send the last one, or RSET")
R503_BINARY_NEEDS_CHUNKS = make_reply(503, "5.5.1", "A binary message comes by BDAT, not DATA")
R503_TLS_ALREADY = make_reply(503, "5.5.1", "TLS is in force already")
R503_NO_LOGIN_NOW = make_reply(503, "5.5.1", "Log in before a message, or after it")
R503_LOGGED_IN = make_reply(503, "5.5.1", "You are logged in already")
R503_NO_SERVICE = make_reply(503, "5.5.1", "There is no service for you here; say QUIT")
R504_MECHANISM = make_reply(504, "5.5.4", "This way to log in is not known here")
R504_MECHANISM_IN_CLEAR = make_reply(504, "5.5.4", "Nobody logs in here in the clear; say STARTTLS first")
R530_LOGIN_FIRST = make_reply(530, "5.7.0", "Log in first")
R530_TLS_FIRST = make_reply(530, "5.7.0", "Say STARTTLS first")
R535_WRONG = make_reply(535, "5.7.8", "Wrong name or password")
R550_BARE_NEWLINE = make_reply(
    550, "5.5.2", "The message holds a bare CR or LF; lines end with CRLF (RFC 5321 section 2.3.8)"
)
R550_NO_SUCH_MAILBOX = make_reply(550, "5.1.1", "No such mailbox here")
R550_NOT_RELAYED = make_reply(550, "5.7.1", "Mail for this domain is not taken here")
R552_TOO_BIG = make_reply(552, "5.3.4", "The message is bigger than this server takes")
R554_EARLY_TALK = make_reply(554, "5.5.1", "You did not wait for the greeting; closing")
R554_LOOP = make_reply(554, "5.4.6", "The message has been through too many hosts; it seems to go in circles")
R555_UNKNOWN_PARAMETER = make_reply(555, "5.5.4", "A parameter is not known here")


def greeting(hostname: str) -> Reply:
    """Make the greeting (RFC 5321 §3.1)."""
    return Reply(220, "", (f"{hostname} ESMTP Paperpath",))


def null_greeting(hostname: str) -> Reply:
    """Make the greeting of a server that gives no service (RFC 5321 §3.1)."""
    return Reply(554, "", (f"{hostname} gives you no mail service; say QUIT",))


@lru_cache(maxsize=256)
def hello_reply(hostname: str, client: str, keywords: tuple[str, ...]) -> Reply:
    """Make the reply to EHLO; without keywords it is the one line that HELO gets (RFC 5321 §4.1.1.1).

    It is the longest of all, and who says hello once does so all day: the last ones are kept.
    """
    return Reply(250, "", (f"{hostname} greets {client}", *keywords))


def queued(queue_id: str) -> Reply:
    """Make the reply that takes responsibility for a message (RFC 5321 §6.1)."""
    return make_reply(250, "2.0.0", f"Taken as {queue_id}")


def format_challenge(octets: bytes) -> bytes:
    """Write the reply that asks for an answer in AUTH; of any length, where others are cut (RFC 4954 §4)."""
    return b"334 " + base64.b64encode(octets) + b"\r\n"


def chunk_taken(octets: int) -> Reply:
    """Make the reply to a chunk that is not the last (RFC 3030 §2)."""
    return make_reply(250, "2.0.0", f"{octets} octets so far")


def bad_sender_syntax(reason: str) -> Reply:
    """Make the reply to a malformed reverse-path."""
    return make_reply(501, "5.1.7", f"Bad sender: {reason}")


def bad_recipient_syntax(reason: str) -> Reply:
    """Make the reply to a malformed forward-path."""
    return make_reply(501, "5.1.3", f"Bad recipient: {reason}")


R550_SENDER_NOT_ASCII = make_reply(550, "5.6.7", "A sender outside ASCII is not taken here")
R553_RECIPIENT_NOT_ASCII = make_reply(553, "5.6.7", "A recipient outside ASCII is not taken here")
