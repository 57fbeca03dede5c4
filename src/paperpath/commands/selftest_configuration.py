"""What `paperpath check` finds, and what only a running installation shows.

Called by `paperpath selftest`: which programs answer, which ports, which certificates they show and how long
those last, and whether others find this host by its name.
"""

import asyncio
import ssl
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509

from paperpath.commands.check import examine
from paperpath.commands.selftest_dialogue import UnreachableError
from paperpath.commands.selftest_ends import find_ends, list_hosts
from paperpath.commands.selftest_findings import Finding, Verdict
from paperpath.commands.selftest_wire import Talk
from paperpath.commands.status import gather
from paperpath.config.endpoint import Endpoint, LocalSocket, Place
from paperpath.config.loader import Document
from paperpath.config.tables import Configuration
from paperpath.dns.answer import Answer, Status
from paperpath.dns.records import AAAA, A
from paperpath.dns.resolver import Resolver
from paperpath.dns.servers import find_servers
from paperpath.service.control import control_folder
from paperpath.service.errors import ServiceError
from paperpath.service.interfaces import read_own_addresses

_LEAST_LEFT = timedelta(days=14)


def judge_certificate(octets: bytes, hostname: str, now: datetime) -> Finding:
    """Say how long a certificate lasts that a server shows, and whether it is for the host's name."""
    tried = "the certificate it shows"
    try:
        leaf = x509.load_der_x509_certificate(octets)
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound) as error:
        return Finding(Verdict.DOUBTFUL, tried, f"no certificate for a name: {error}")
    end = leaf.not_valid_after_utc
    if end <= now:
        return Finding(Verdict.FAULT, tried, f"it expired on {end:%Y-%m-%d}")
    if end - now < _LEAST_LEFT:
        return Finding(Verdict.DOUBTFUL, tried, f"it expires on {end:%Y-%m-%d}")
    known = {name.lower() for name in names.get_values_for_type(x509.DNSName)}
    if not known & {hostname.lower(), f"*.{hostname.lower().partition('.')[2]}"}:
        return Finding(
            Verdict.DOUBTFUL, tried, f"it is not for {hostname}, but for {', '.join(sorted(known))}"
        )
    return Finding(Verdict.GOOD, tried, f"for {hostname}, until {end:%Y-%m-%d}")


def judge_programs(rows: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    """Say which programs answer; `rows` are those of `paperpath status`."""
    if not rows:
        yield Finding(Verdict.FAULT, "the programs", "nothing is running")
    for row in rows:
        tried = f"program {row['name']}"
        if "error" in row:
            yield Finding(Verdict.FAULT, tried, row["error"])
        else:
            yield Finding(Verdict.GOOD, tried, row["status"])


def judge_name(hostname: str, answers: Sequence[Answer[str]]) -> Finding:
    """Say whether others find an address by the name that we greet them with; of each family one answer."""
    tried = f"addresses of {hostname} in the DNS"
    found = [text for answer in answers for text in answer.records]
    if found:
        return Finding(Verdict.GOOD, tried, ", ".join(found))
    unsure = next((answer for answer in answers if answer.is_temporary), None)
    if unsure is not None:
        return Finding(Verdict.UNTOLD, tried, unsure.detail or unsure.status.value)
    missing = Status.NODATA if Status.NODATA in {answer.status for answer in answers} else Status.NXDOMAIN
    hint = f"{missing.value}; other hosts may refuse mail from here"
    return Finding(Verdict.DOUBTFUL, tried, hint)


def try_configuration(document: Document, now: datetime) -> Iterator[Finding]:
    """Look at the configuration, then at what runs by it."""
    configuration = document.configuration
    yield from _examine(document)
    if configuration.user is None and configuration.data.exists() and not configuration.data.stat().st_uid:
        yield Finding(Verdict.DOUBTFUL, "user", "none is configured, so the programs run as root")
    yield from judge_programs(gather(control_folder(configuration)))
    for place in list_places(configuration):
        yield _knock(place)
    yield from _try_certificates(configuration, now)
    yield judge_name(configuration.hostname, asyncio.run(_ask(configuration)))


def list_places(configuration: Configuration) -> Iterator[Place]:
    """List where programs must answer, each once, as it is reached from this host."""
    relay, submission, metrics = configuration.relay, configuration.submission, configuration.metrics
    listeners = [*relay.listen, *relay.listen_proxy, *relay.listen_null]
    if submission is not None:
        listeners += [*submission.listen, *submission.listen_tls, *submission.listen_null]
        listeners += [*submission.listen_proxy, *submission.listen_tls_proxy]
        if submission.listen_local:
            yield LocalSocket(configuration.submission_socket)
    if metrics is not None:
        listeners.append(metrics.listen)
    for listener in dict.fromkeys(listeners):
        yield _reach(listener)


def _reach(listener: Endpoint) -> Endpoint:
    return Endpoint(list_hosts(listener, read_own_addresses())[0], listener.port)


def _examine(document: Document) -> Iterator[Finding]:
    errors, warnings = examine(document)
    for error in errors:
        yield Finding(Verdict.FAULT, "the configuration", error)
    for warning in warnings:
        yield Finding(Verdict.DOUBTFUL, "the configuration", f"{warning.place}: {warning.message}")
    if not errors and not warnings:
        yield Finding(Verdict.GOOD, "the configuration", "nothing is wrong with it")


def _knock(place: Place) -> Finding:
    try:
        Talk(place).close()
    except UnreachableError as error:
        return Finding(Verdict.FAULT, f"{place}", f"does not answer: {error}")
    return Finding(Verdict.GOOD, f"{place}", "answers")


def _try_certificates(configuration: Configuration, now: datetime) -> Iterator[Finding]:
    """Look at what each listener shows; a port that does not answer was told of before."""
    for place, source, begins_clear in _list_tls(configuration):
        try:
            with Talk(place, source) as talk:
                if begins_clear and not _begin_tls(talk):
                    continue
                talk.start_tls()
                found = judge_certificate(talk.read_certificate(), configuration.hostname, now)
        except (UnreachableError, ssl.SSLError) as error:
            found = Finding(Verdict.UNTOLD, "TLS", str(error))
        yield Finding(found.verdict, f"{place}: {found.tried}", found.seen)


def _list_tls(configuration: Configuration) -> Iterator[tuple[Endpoint, str, bool]]:
    try:
        for ends in find_ends(configuration):
            if ends.source:
                yield ends.server, ends.source, True
    except ServiceError:
        pass  # the rules cannot be read, which was told of before
    if configuration.submission is not None:
        for listener in configuration.submission.listen_tls:
            yield _reach(listener), "", False


def _begin_tls(talk: Talk) -> bool:
    if not talk.read_reply().startswith("220") or "STARTTLS" not in talk.say("EHLO selftest.invalid"):
        return False
    return talk.say("STARTTLS").startswith("220")


async def _ask(configuration: Configuration) -> tuple[Answer[str], Answer[str]]:
    resolver = Resolver(find_servers(configuration.dns), configuration.dns.timeout_s)
    try:
        return (
            await resolver.resolve(configuration.hostname, A),
            await resolver.resolve(configuration.hostname, AAAA),
        )
    finally:
        await resolver.close()
