"""BODYSTRUCTURE and BODY as they are written (RFC 9051 §7.5.2, §9).

Called for FETCH. How parts are numbered is in sections.py, and is the same.
"""

from collections.abc import Iterable

from paperpath.imap.content.envelope_text import write_envelope
from paperpath.imap.responses import NIL, write_nstring, write_string
from paperpath.mail.mime.part import Parameters, Part, Token


def write_structure(part: Part, *, extended: bool) -> bytes:
    """Write the structure of a message; `extended`: BODYSTRUCTURE, else BODY."""
    pieces: list[bytes] = []
    _add_body(pieces, part, extended=extended)
    return b"".join(pieces)


def _add_body(pieces: list[bytes], part: Part, *, extended: bool) -> None:
    """Add a part to what is written; everything is joined once, at the end."""
    pieces.append(b"(")
    if part.is_multipart:
        for child in part.children:
            _add_body(pieces, child, extended=extended)
        pieces.append(b" " + write_string(part.media.subtype))
        if extended:
            pieces.append(b" " + _write_parameters(part.media.parameters))
    else:
        pieces.append(_write_basic(part))
        if part.inner is not None:
            pieces.append(b" " + write_envelope(part.inner.envelope) + b" ")
            _add_body(pieces, part.inner, extended=extended)
        if part.inner is not None or part.media.kind.lower() == b"text":
            pieces.append(b" %d" % part.lines)
        if extended:
            pieces.append(b" " + write_nstring(part.about.md5))
    if extended:
        pieces.append(_write_extension(part))
    pieces.append(b")")


def _write_basic(part: Part) -> bytes:
    media, about = part.media, part.about
    return b" ".join(
        (
            write_string(media.kind),
            write_string(media.subtype),
            _write_parameters(media.parameters),
            write_nstring(about.content_id),
            write_nstring(about.description),
            write_string(about.encoding),
            b"%d" % part.body.octets,
        )
    )


def _write_extension(part: Part) -> bytes:
    about = part.about
    disposition, languages = _write_disposition(about.disposition), _write_languages(about.languages)
    return b" " + b" ".join((disposition, languages, write_nstring(about.location)))


def _write_disposition(disposition: Token | None) -> bytes:
    if disposition is None:
        return NIL
    parameters = _write_parameters(disposition.parameters)
    return b"(" + write_string(disposition.value) + b" " + parameters + b")"


def _write_languages(languages: tuple[bytes, ...]) -> bytes:
    if len(languages) < 2:
        return write_nstring(languages[0] if languages else None)
    return _write_list(languages)


def _write_parameters(parameters: Parameters) -> bytes:
    return _write_list(word for parameter in parameters for word in parameter) if parameters else NIL


def _write_list(strings: Iterable[bytes]) -> bytes:
    return b"(" + b" ".join(map(write_string, strings)) + b")"
