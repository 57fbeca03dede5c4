"""The fields that hold addresses: obsolete forms rewritten, domains completed, originators masqueraded.

A step of form.py (B-18 to B-20). A field that needs nothing of that costs one regular expression.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from paperpath.mail.address import Mailbox
from paperpath.mail.fields.addresses import Group, Named
from paperpath.mail.fields.glance import are_canonical_addresses
from paperpath.submission.canonical.draft import Draft
from paperpath.submission.canonical.lists import is_empty_list, read_list, write_list
from paperpath.submission.canonical.mailboxes import ONE_LABEL, complete_domain, put_mask_on
from paperpath.submission.canonical.refusals import refuse_address
from paperpath.submission.canonical.section import Field
from paperpath.submission.canonical.values import NO_MASQUERADE, CanonicalRules, Masquerade, What

_ORIGINATORS = (b"from", b"sender", b"reply-to")
_RECIPIENTS = (b"to", b"cc")
_WORD = r"[^\s()<>@,;:\\\"\[\]]"
_ADDRESS = re.compile(rf"(?<!{_WORD})({_WORD}++)@([A-Za-z0-9.-]++)")  # each word is looked at once
_UNKNOWN = "is nobody known here; write a domain behind it"

_Addresses = tuple[Named | Group, ...]


def complete_addresses(draft: Draft) -> None:
    """Look at each field of addresses. Raises: CanonicalError."""
    for keys, masquerade in ((_ORIGINATORS, draft.rules.masquerade), (_RECIPIENTS, NO_MASQUERADE)):
        for key in keys:
            field = draft.find(key)
            if field is not None and not _may_stay(field, masquerade):
                _complete_field(draft, field, masquerade)


def _may_stay(field: Field, masquerade: Masquerade) -> bool:
    """Tell whether one look shows that nothing is to be done."""
    if not are_canonical_addresses(field.value):
        return False
    return not masquerade.does_anything or not _may_be_meant(field, masquerade)


def _may_be_meant(field: Field, masquerade: Masquerade) -> bool:
    """Tell whether anything in a canonical list looks like an address that is to be masqueraded."""
    found = (Mailbox(*pair) for pair in _ADDRESS.findall(field.value.decode("ascii")))
    return any(put_mask_on(mailbox, masquerade) is not mailbox for mailbox in found)


def _complete_field(draft: Draft, field: Field, masquerade: Masquerade) -> None:
    if is_empty_list(field):
        draft.remove(field, What.EMPTY_REMOVED)
        return
    parsed = read_list(field)
    completed = _map(parsed.addresses, lambda mailbox: _complete(field, mailbox, draft.rules))
    masked = _map(completed, lambda mailbox: put_mask_on(mailbox, masquerade))
    is_needed = completed != parsed.addresses
    if is_needed and draft.is_covered(field):
        masked = completed
    deeds = {
        What.COMPLETED: is_needed,
        What.MASQUERADED: masked != completed,
        What.REWRITTEN: not parsed.is_canonical,
    }
    done = [what for what, is_done in deeds.items() if is_done]
    if done:
        octets = write_list(field, masked, international=draft.submitted.international)
        draft.rewrite(field, octets, *done, is_needed=is_needed)


def _complete(field: Field, mailbox: Mailbox, rules: CanonicalRules) -> Mailbox:
    """Return a mailbox of the header with a full domain. Raises: CanonicalError."""
    if (
        not mailbox.domain
        and rules.is_strict
        and not mailbox.is_postmaster
        and not rules.is_known(mailbox.local)
    ):
        raise refuse_address(field.shown, mailbox, _UNKNOWN)
    completed = complete_domain(mailbox, rules)
    if completed is None:
        raise refuse_address(field.shown, mailbox, ONE_LABEL)
    return completed


def _map(addresses: _Addresses, change: Callable[[Mailbox], Mailbox]) -> _Addresses:
    """Change each mailbox of a list."""
    return tuple(
        replace(address, members=tuple(_change(member, change) for member in address.members))
        if isinstance(address, Group)
        else _change(address, change)
        for address in addresses
    )


def _change(named: Named, change: Callable[[Mailbox], Mailbox]) -> Named:
    mailbox = change(named.mailbox)
    return named if mailbox is named.mailbox else replace(named, mailbox=mailbox)
