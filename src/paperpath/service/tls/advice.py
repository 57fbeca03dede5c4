"""What is wrong with the certificates that are configured, and which of them end soon.

Called by `paperpath check`, with the file as it was read: each complaint has the line of the key it is about.
"""

import ssl
from datetime import datetime, timedelta

from paperpath.config.complaints import name_key
from paperpath.config.lines import find_line, scan_lines
from paperpath.config.loader import Document, Problem
from paperpath.config.tables import CertificateEntry
from paperpath.service.tls.certificates import Certificate, read_certificate
from paperpath.service.tls.contexts import ask_clients, make_context
from paperpath.service.tls.key_files import CertificateError, read_key_file

_LEAST_LEFT = timedelta(days=14)


def examine_certificates(document: Document, now: datetime) -> tuple[list[Problem], list[Problem]]:
    """Return why programs would refuse certificates or keys, and which of them end soon."""
    lines = scan_lines(document.text)

    def place(index: int, key: str, message: str) -> Problem:
        location = ("tls", "certificate", index, key)
        return Problem(document.path, find_line(lines, location), f"{name_key(location)}: {message}")

    mistakes, doubts = [], []
    for index, entry in enumerate(document.configuration.tls.certificate):
        try:
            end = _check(entry, now).expires
        except* CertificateError as group:
            for error in group.exceptions:
                assert isinstance(error, CertificateError)
                mistakes.append(place(index, "chain" if error.path == entry.chain else "key", str(error)))
        else:
            if end - now < _LEAST_LEFT:
                message = f"{entry.chain}: the certificate expires on {end:%Y-%m-%d}"
                doubts.append(place(index, "chain", message))
    return mistakes, doubts


def examine_authorities(document: Document) -> list[Problem]:
    """Return why submission would refuse the file of who vouches for clients, if it would."""
    submission = document.configuration.submission
    if submission is None or submission.client_ca is None:
        return []
    try:
        ask_clients(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), read_key_file(submission.client_ca))
    except CertificateError as error:
        location = ("submission", "client_ca")
        line = find_line(scan_lines(document.text), location)
        return [Problem(document.path, line, f"{name_key(location)}: {error}")]
    return []


def _check(entry: CertificateEntry, now: datetime) -> Certificate:
    """Take a certificate as a program does. Raises: ExceptionGroup of CertificateError, all there are."""
    unreadable = []
    for path in dict.fromkeys((entry.chain, entry.key)):
        try:
            read_key_file(path)
        except CertificateError as error:
            unreadable.append(error)
    if unreadable:
        raise ExceptionGroup("unreadable", unreadable)
    certificate = read_certificate(entry.chain, entry.key, now)
    make_context(certificate)
    return certificate
