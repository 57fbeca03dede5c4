"""Octets above 7F in a header: encoded words where they may stand, else a refusal (B-25, RFC 2047 §5).

A step of form.py. Where SMTPUTF8 is in force a header may be UTF-8, and is left alone if it is (RFC 6532).
"""

from paperpath.mail.fields.encoded_words import encode_words
from paperpath.mail.fields.error import FieldError
from paperpath.mail.fields.folding import fold_field, unfold
from paperpath.submission.canonical.draft import Draft
from paperpath.submission.canonical.lists import ADDRESS_KEYS, is_empty_list, read_list, write_list
from paperpath.submission.canonical.refusals import refuse_field, refuse_international
from paperpath.submission.canonical.section import Field
from paperpath.submission.canonical.values import What

_ADDRESSES = ADDRESS_KEYS | {
    *(b"disposition-notification-to", b"return-receipt-to", b"errors-to"),
    *(b"mail-followup-to", b"mail-reply-to"),
}
# Machines read these, and no encoded word has a place in them.
_STRUCTURED = frozenset(
    (
        *(b"date", b"message-id", b"in-reply-to", b"references", b"received"),
        *(b"resent-date", b"resent-message-id", b"mime-version", b"content-type", b"content-disposition"),
        *(b"content-transfer-encoding", b"content-id", b"content-location", b"content-language"),
        *(b"dkim-signature", b"arc-seal", b"arc-message-signature", b"arc-authentication-results"),
        *(b"authentication-results", b"autocrypt", b"auto-submitted"),
        *(b"list-id", b"list-help", b"list-post", b"list-subscribe", b"list-unsubscribe"),
        *(b"list-unsubscribe-post", b"list-owner", b"list-archive"),
    )
)
# These are written anew by a step of their own, whatever stands in them.
_STAMPS = (b"date", b"message-id")


def ensure_ascii(draft: Draft, header: bytes) -> None:
    """Leave a header in ASCII, or in UTF-8 where SMTPUTF8 is in force; `header` is it as it came.

    Raises: CanonicalError.
    """
    if header.isascii():
        return
    for field in draft.fields:
        if field.octets.isascii():
            continue
        text = _decode(field)
        if draft.submitted.international or any(draft.find(key) is field for key in _STAMPS):
            continue
        draft.rewrite(field, _encode(field, text), What.ENCODED)


def _decode(field: Field) -> str:
    try:
        return field.value.decode("utf-8")
    except UnicodeDecodeError:
        reason = "octets above 7F that are no UTF-8; what is not ASCII is sent as encoded words (RFC 2047)"
        raise refuse_field(field.shown, reason) from None


def _encode(field: Field, text: str) -> bytes:
    """Write a field anew in ASCII."""
    if field.key in _ADDRESSES and not is_empty_list(field):
        return _encode_addresses(field)
    if field.key in _STRUCTURED:
        raise refuse_field(field.shown, "only ASCII can stand here")
    try:
        return fold_field(field.name, encode_words(unfold(text).strip(" \t")))
    except FieldError as error:
        raise refuse_field(field.shown, str(error)) from None


def _encode_addresses(field: Field) -> bytes:
    parsed = read_list(field)
    for named in parsed.mailboxes:
        if not (named.mailbox.local.isascii() and named.mailbox.domain.isascii()):
            raise refuse_international(field.shown)
    return write_list(field, parsed.addresses, international=False)
