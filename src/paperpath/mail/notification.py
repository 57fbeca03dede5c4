"""What becomes of NOTIFY and ORCPT when one recipient is replaced by others (RFC 3461 §5.2.7, RFC 6533 §3).

Called by the routing. Values are as they stand in the envelope: NOTIFY in upper case, ORCPT as it came.
"""

import re

from paperpath.mail.address import Mailbox, format_mailbox

_MOST_ORCPT_OCTETS = 500  # RFC 3461 §5.4
_NOT_XTEXT = re.compile(r"[^!-*,-<>-~]")
_NOT_PLAIN = re.compile(r"[^!-*,-<>-\[\]-~]")


def drop_success(notify: str) -> str:
    """Ask for what was asked for, success apart; who asked for that alone wants no report of a failure."""
    if not notify:
        return ""
    return ",".join(word for word in notify.split(",") if word != "SUCCESS") or "NEVER"


def make_orcpt(address: Mailbox) -> str:
    """Write an address as ORCPT has it; empty for one without a domain, and for one that is too long."""
    if not address.domain:
        return ""
    text = format_mailbox(address)
    if text.isascii():
        orcpt = "rfc822;" + _NOT_XTEXT.sub(lambda found: f"+{ord(found[0]):02X}", text)
    else:
        orcpt = "utf-8;" + _NOT_PLAIN.sub(lambda found: f"\\x{{{ord(found[0]):02X}}}", text)
    return orcpt if len(orcpt) <= _MOST_ORCPT_OCTETS else ""
