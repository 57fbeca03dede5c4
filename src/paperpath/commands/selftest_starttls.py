"""Whether what was said in the clear counts inside TLS: commands behind STARTTLS, a transaction before it.

Called by `paperpath selftest`. Whoever sits between a client and its server could say such things in the
client's name (RFC 3207 §4.2 and §6). Nothing that is said here begins a message.
"""

import ssl
from collections.abc import Callable, Iterator, Sequence

from paperpath.commands.selftest_findings import Finding, Verdict
from paperpath.commands.selftest_wire import Talk

_INJECTED = "a command in the clear behind STARTTLS"
_BEFORE = "a transaction that was begun before STARTTLS"


def judge_injected(first: str, inside: Sequence[str]) -> Finding:
    """Say what the reply to STARTTLS means, and those to QUIT inside TLS, where it began."""
    if not first.startswith("220"):
        return Finding(Verdict.GOOD, _INJECTED, f"TLS was refused: {first or 'closed'}")
    said = " / ".join(inside) or "closed"
    if any(not reply.startswith("221") for reply in inside):
        return Finding(Verdict.FAULT, _INJECTED, f"it was executed inside TLS: {said}")
    return Finding(Verdict.GOOD, _INJECTED, f"it was thrown away: {said}")


def judge_before(reply: str) -> Finding:
    """Say what the reply to a recipient means, named inside TLS for a sender that was named before."""
    if reply.startswith("2"):
        return Finding(Verdict.FAULT, _BEFORE, f"it goes on inside TLS: {reply}")
    return Finding(Verdict.GOOD, _BEFORE, f"it was forgotten: {reply or 'closed'}")


def judge_no_handshake(error: ssl.SSLError) -> Finding:
    """Say what it means that TLS did not begin: octets in the clear are no command, or they were answered."""
    if error.reason == "WRONG_VERSION_NUMBER":
        return Finding(Verdict.FAULT, _INJECTED, "it was answered in the clear, where TLS begins")
    return Finding(Verdict.GOOD, _INJECTED, f"TLS did not begin: {error.reason}")


def try_starttls(server: str, connect: Callable[[], Talk]) -> Iterator[Finding]:
    """Try both, each on a connection of its own. Raises: UnreachableError."""
    for attempt in (_inject, _begin_before):
        with connect() as talk:
            greeting = talk.read_reply()
            if not greeting.startswith("220"):
                yield Finding(Verdict.UNTRIED, f"{server}: EHLO", greeting or "closed")
                return
            if "STARTTLS" not in talk.say("EHLO selftest.invalid"):
                yield Finding(Verdict.DOUBTFUL, f"{server}: EHLO", "STARTTLS is not offered")
                return
            found = attempt(talk)
            yield Finding(found.verdict, f"{server}: {found.tried}", found.seen)


def _inject(talk: Talk) -> Finding:
    talk.send(b"STARTTLS\r\nNOOP\r\n")
    first = talk.read_reply()
    if not first.startswith("220"):
        return judge_injected(first, ())
    if talk.has_more:
        return Finding(Verdict.FAULT, _INJECTED, f"it was answered in the clear: {talk.read_reply()}")
    try:
        talk.start_tls()
    except ssl.SSLError as error:
        return judge_no_handshake(error)
    talk.send(b"QUIT\r\n")
    return judge_injected(first, talk.read_replies())


def _begin_before(talk: Talk) -> Finding:
    talk.say("MAIL FROM:<>")
    reply = talk.say("STARTTLS")
    if not reply.startswith("220"):
        return Finding(Verdict.GOOD, _BEFORE, f"TLS was refused: {reply or 'closed'}")
    try:
        talk.start_tls()
    except ssl.SSLError as error:
        return Finding(Verdict.UNTOLD, _BEFORE, f"TLS did not begin: {error.reason}")
    return judge_before(talk.say("RCPT TO:<postmaster>"))
