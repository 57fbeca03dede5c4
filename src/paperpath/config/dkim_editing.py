"""A key put into a configuration's [[dkim.key]]; pure.

Called by `paperpath dkim`, with text that the loader has found right.
"""

import tomllib
from collections.abc import Mapping

from paperpath.config.edited_text import Edited, EditError, UnknownLayoutError, read_edited
from paperpath.config.editing import add_element, add_table, quote
from paperpath.config.lines import Location, scan_spans

_KEYS: Location = ("dkim", "key")


def add_dkim_key(text: str, domain: str, selector: str, file: str) -> Edited:
    """Add a key behind the others. Raises: EditError."""
    pairs = {"domain": domain, "selector": selector, "file": file}
    wanted = tomllib.loads(text)
    wanted.setdefault("dkim", {}).setdefault("key", []).append(pairs)
    edited = _add(text, pairs)
    if read_edited(edited) != wanted:
        raise UnknownLayoutError
    return Edited(edited, (f"dkim.key: added {domain}, selector {selector}",))


def _add(text: str, pairs: Mapping[str, str]) -> str:
    spans = scan_spans(text)
    if _KEYS in spans.values:
        inside = ", ".join(f"{name} = {quote(value)}" for name, value in pairs.items())
        return add_element(text, _KEYS, f"{{ {inside} }}")
    tables = [place for place in spans.tables if place]
    if not tables:
        raise EditError("this file has no table by itself; add [[dkim.key]] by hand")
    keys = [place for place in tables if place[:1] == _KEYS[:1]]
    return add_table(text, (keys or tables)[-1], "[[dkim.key]]", pairs)
