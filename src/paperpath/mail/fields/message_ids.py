"""Message ids: read, made (RFC 5322 §3.6.4, §4.5.4).

Called by the canonical form. What stands left and right of the @ means nothing to us: hosts with underscores
and literals of any kind name messages in many an archive, and a quoted string stays quoted.
"""

import re

from paperpath.mail.fields.error import FieldError, show
from paperpath.mail.fields.folding import unfold
from paperpath.mail.fields.lexer import Kind, read_tokens

_MOST_OCTETS = 900  # it cannot be folded, and has to fit in a line with its field's name
_SHAPE = re.compile(r"<w(?:\.w)*@(?:w(?:\.w)*|l)>")
_SHAPES = {Kind.ATOM: "w", Kind.QUOTED: "w", Kind.ENCODED: "w", Kind.LITERAL: "l"}


def parse_message_id(text: str) -> str:
    """Read a value that is one message id, folded or not; return that in canonical form, with its brackets.

    Raises: FieldError.
    """
    tokens = list(read_tokens(unfold(text)))
    shape = "".join(_SHAPES.get(token.kind, token.text) for token in tokens)
    if _SHAPE.fullmatch(shape) is None:
        raise FieldError(f"expected one message id like <word@host>, got {show(text.strip())}")
    found = "".join(token.text for token in tokens)
    if len(found.encode()) > _MOST_OCTETS:
        raise FieldError(f"the message id is too long: {show(found)}")
    return found


def make_message_id(token: str, host: str) -> str:
    """Make a message id of an atom that is used for nothing else, and the name of this host."""
    return f"<{token}@{host}>"
