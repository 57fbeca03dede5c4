"""How two local parts compare, which are never rewritten themselves (RFC 5321 §2.4, RFC 6531 §3.3).

Called by the accounts and the aliases: a name is looked for as it is spelt first, then in any case.
"""

import unicodedata


def local_key(local: str) -> str:
    """Return the form in which a local part is looked for: NFC, whichever way its letters are composed."""
    return local if local.isascii() else unicodedata.normalize("NFC", local)


def fold_local(local: str) -> str:
    """Return a local part as it compares in any case (Unicode, D145: canonical caseless matching)."""
    if local.isascii():
        return local.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", local).casefold())
