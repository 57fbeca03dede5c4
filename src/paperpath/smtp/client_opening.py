"""How a client opens a session, from the greeting to where transactions may begin (RFC 5321, 3207, 4954).

Kept by the client core. It says what follows itself, and gives the core what came of a reply, if anything:
TLS is wanted, the session is open, it was refused, or the peer answered what nobody asked.
"""

from paperpath.mail.reply import Reply
from paperpath.smtp import client_replies as replies
from paperpath.smtp.client_events import TLS_WANTED, Broken, Ready, Refused, TLSWanted
from paperpath.smtp.client_sasl import Conversation, converse
from paperpath.smtp.client_settings import ClientSettings, Security
from paperpath.smtp.client_states import Meaning, Wait
from paperpath.smtp.extensions import NO_EXTENSIONS, read_extensions
from paperpath.smtp.outgoing import Outgoing

HIDDEN = "***"  # what the observer is shown for a secret

Come = TLSWanted | Ready | Refused | Broken


class Opening:
    """The part of a session that comes before its transactions."""

    def __init__(self, settings: ClientSettings, outgoing: Outgoing, *, encrypted: bool) -> None:
        """Begin before the greeting."""
        self._settings = settings
        self._outgoing = outgoing
        self._says_old_hello = False
        self._conversation: Conversation | None = None
        self.encrypted = encrypted
        self.in_handshake = False
        self.offered = NO_EXTENSIONS

    def hear(self, wait: Wait, reply: Reply, meaning: Meaning) -> Come | None:
        """Take the reply to what was said last; `None`: something else was said."""
        match wait:
            case Wait.GREETING:
                return self._hear_greeting(reply, meaning)
            case Wait.HELLO:
                return self._hear_hello(reply, meaning)
            case Wait.STARTTLS:
                return self._hear_starttls(reply, meaning)
            case _:
                return self._hear_auth(reply, meaning)

    def start_tls(self) -> None:
        """Go on inside TLS: what the peer said before is forgotten (RFC 3207 §4.2)."""
        self.in_handshake = False
        self.encrypted = True
        self.offered = NO_EXTENSIONS
        self._say_hello()

    def _hear_greeting(self, reply: Reply, meaning: Meaning) -> Come | None:
        if meaning is Meaning.REFUSED:
            return Refused(Wait.GREETING, reply)
        self._say_hello()
        return None

    def _hear_hello(self, reply: Reply, meaning: Meaning) -> Come | None:
        is_extended = not self._says_old_hello
        if meaning is Meaning.TAKEN:
            self.offered = read_extensions(reply.lines[1:]) if is_extended else NO_EXTENSIONS
            return self._secure()
        if is_extended and reply.code >= 500:
            if self._settings.lmtp:
                return Refused(Wait.HELLO, replies.no_lmtp(reply), is_ours=True)
            self._says_old_hello = True  # RFC 5321 §3.2
            self._say_hello()
            return None
        return Refused(Wait.HELLO, reply)

    def _secure(self) -> Come | None:
        security = self._settings.security
        if self.encrypted or security is Security.NEVER:
            return self._log_in()
        if self.offered.starttls:
            self._say(Wait.STARTTLS, "STARTTLS")
            return None
        if security is Security.REQUIRED:
            return Refused(Wait.STARTTLS, replies.R454_NO_TLS_OFFERED, is_ours=True)
        return self._log_in()

    def _hear_starttls(self, reply: Reply, meaning: Meaning) -> Come | None:
        if meaning is Meaning.TAKEN:
            self.in_handshake = True
            self._says_old_hello = False
            return TLS_WANTED
        if self._settings.security is Security.REQUIRED:
            return Refused(Wait.STARTTLS, reply)
        return self._log_in()

    def _log_in(self) -> Come | None:
        credentials = self._settings.credentials
        if credentials is None:
            return Ready(self.offered)
        if not self.encrypted:
            return Refused(Wait.AUTH, replies.R454_AUTH_IN_CLEAR, is_ours=True)
        conversation = self._conversation = converse(self.offered.mechanisms, credentials)
        if conversation is None:
            return Refused(Wait.AUTH, replies.R454_NO_MECHANISM, is_ours=True)
        command, secret = f"AUTH {conversation.mechanism}", conversation.initial
        if secret is None:
            self._outgoing.say_secret(command, command)
        else:
            self._outgoing.say_secret(f"{command} {secret}", f"{command} {HIDDEN}")
        return None

    def _hear_auth(self, reply: Reply, meaning: Meaning) -> Come | None:
        conversation = self._conversation
        if meaning is Meaning.REFUSED:
            return Refused(Wait.AUTH, reply)
        if conversation is None:  # cancelled, which is never answered like this
            return Broken(Wait.AUTH, replies.out_of_place(reply), is_ours=True)
        if meaning is Meaning.TAKEN:
            if conversation.is_complete:
                return Ready(self.offered)
            # By SCRAM that may be somebody who does not know our password.
            return Refused(Wait.AUTH, replies.R454_LOGIN_UNFINISHED, is_ours=True)
        if (response := conversation.respond(reply.lines[0])) is not None:
            self._outgoing.say_secret(response, HIDDEN)
        else:
            self._conversation = None
            self._outgoing.say_secret("*", "*")  # RFC 4954 §4
        return None

    def _say_hello(self) -> None:
        verb = "LHLO" if self._settings.lmtp else "HELO" if self._says_old_hello else "EHLO"
        self._say(Wait.HELLO, f"{verb} {self._settings.hello}")

    def _say(self, wait: Wait, line: str) -> None:
        self._outgoing.say([(wait, line)], together=True)
