"""Who wrote a message: From and Sender, where they are missing (B-12, B-13, RFC 5322 §3.6.2, RFC 6854 §2).

A step of form.py, when the fields that there are have been completed.
"""

from paperpath.mail.fields.address_text import encode_names, fold_addresses
from paperpath.mail.fields.addresses import Named
from paperpath.mail.fields.encoded_words import quote_phrase
from paperpath.submission.canonical.draft import Draft
from paperpath.submission.canonical.lists import read_list
from paperpath.submission.canonical.mailboxes import ONE_LABEL, complete_domain, put_mask_on
from paperpath.submission.canonical.refusals import (
    refuse_address,
    refuse_field,
    refuse_header,
    refuse_international,
)
from paperpath.submission.canonical.section import Field

_MAY_BE_SEVERAL = (b",", b":", b";")


def ensure_originators(draft: Draft) -> None:
    """See to it that From is there, and Sender if From is not one mailbox. Raises: CanonicalError."""
    author = draft.find(b"from")
    if author is None:
        author = draft.add(_write(draft, b"From", draft.submitted.full_name))
    sender = draft.find(b"sender")
    if sender is not None:
        if not _is_one_mailbox(sender):
            raise refuse_field(sender.shown, "one mailbox must stand here")
    elif not _is_one_mailbox(author):
        draft.add(_write(draft, b"Sender", ""))


def _write(draft: Draft, name: bytes, full_name: str) -> bytes:
    """Write a field that names who submits: who is known to, else the envelope's sender.

    Raises: CanonicalError.
    """
    submitted = draft.submitted
    known = submitted.identity or submitted.sender
    if known is None:
        raise refuse_header(f"There is no {name.decode()}, and nobody is known who could stand there")
    completed = complete_domain(known, draft.rules)
    if completed is None:
        raise refuse_address(name.decode(), known, ONE_LABEL)
    mailbox = put_mask_on(completed, draft.rules.masquerade)
    if not submitted.international and not str(mailbox).isascii():
        raise refuse_international(name.decode())
    phrase = quote_phrase(full_name) if full_name else ""
    named = Named(mailbox, phrase, is_bracketed=bool(phrase))
    return fold_addresses(name, [named if submitted.international else encode_names(named)])


def _is_one_mailbox(field: Field) -> bool:
    """Tell whether a field holds one mailbox and no group; where a comma or colon is in it, by reading it."""
    if not any(mark in field.value for mark in _MAY_BE_SEVERAL):
        return True
    addresses = read_list(field).addresses
    return len(addresses) == 1 and isinstance(addresses[0], Named)
