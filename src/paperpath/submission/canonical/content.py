"""What the header says of the body, and whether that must be encoded (B-23, B-25, X-5, RFC 6409 §8.4).

A step of form.py. Lines that are too long must not go out. Octets above 7F may, so they are encoded where
that is wanted and makes the whole body 7-bit, and else not. What is signed or encrypted is not touched.
"""

from paperpath.submission.canonical.body import BodyFacts, PartFacts
from paperpath.submission.canonical.draft import Draft
from paperpath.submission.canonical.encoder import BodyEncoder, Coding, Plan
from paperpath.submission.canonical.mime import UNKNOWN, read_mime_facts
from paperpath.submission.canonical.parts import Part
from paperpath.submission.canonical.refusals import CanonicalError, refuse_header
from paperpath.submission.canonical.values import BODY, What

_VERSION = b"mime-version"
_ENCODING = b"content-transfer-encoding"
_ENCODED = ("base64", "quoted-printable")


def ensure_content(draft: Draft, header: bytes, body: BodyFacts) -> tuple[BodyEncoder | None, bool]:
    """Describe the body; return what it must pass through, if anything, and whether it is 8-bit behind that.

    `header` is the section as it came. Raises: CanonicalError.
    """
    if not body.is_eight_bit and not body.has_long_lines:
        return None, False
    mime = read_mime_facts(header)
    plan = _make_plan(draft, body)
    _describe(draft, body, plan.find_label(Part(0, mime, is_message=True)))
    if not plan.codings:
        return None, body.is_eight_bit
    draft.note_body_encoded()
    return BodyEncoder(mime, plan), body.is_eight_bit and not plan.is_seven_bit


def _make_plan(draft: Draft, body: BodyFacts) -> Plan:
    """Decide which parts are encoded, and how. Raises: CanonicalError."""
    if body.has_frame_long_lines:
        raise _refuse("and stands in the header of a part, or between parts")
    needed: dict[int, Coding] = {}
    wanted: dict[int, Coding] = {}
    for facts in body.parts:
        coding = None if body.is_ambiguous else _find_coding(facts)
        if coding is not None:
            (needed if facts.has_long_lines else wanted)[facts.part.number] = coding
        elif facts.has_long_lines:
            raise _refuse(_explain(facts.part))
    can_be_seven_bit = not body.is_frame_eight_bit and len(needed) + len(wanted) == len(body.parts)
    if wanted and not (can_be_seven_bit and _wants_seven_bit(draft)):
        return Plan(needed)
    return Plan(needed | wanted, is_seven_bit=can_be_seven_bit and body.is_eight_bit)


def _wants_seven_bit(draft: Draft) -> bool:
    """Tell whether octets above 7F are to be encoded; whoever takes SMTPUTF8 takes them as they are."""
    if not draft.rules.encode_8bit or draft.submitted.international:
        return False
    if draft.is_signed:
        draft.note(BODY, What.KEPT)
    return not draft.is_signed


def _find_coding(facts: PartFacts) -> Coding | None:
    """Return how a part is encoded; `None` where it must not be, or is encoded wrongly."""
    mime = facts.part.mime
    kind = mime.kind
    if facts.part.is_sealed or kind == UNKNOWN or kind.startswith(("multipart/", "message/")):
        return None
    if mime.encoding in _ENCODED and not facts.is_eight_bit:
        return Coding(mime.encoding, is_encoded=True)
    if not mime.is_identity:
        return None
    return Coding("quoted-printable" if kind.startswith("text/") else "base64")


def _explain(part: Part) -> str:
    if part.is_sealed:
        return "in a part that is signed or encrypted"
    return "in a part that cannot be encoded"


def _refuse(where: str) -> CanonicalError:
    return refuse_header(f"A line of the body has more than 998 octets {where}; send it in shorter lines")


def _describe(draft: Draft, body: BodyFacts, label: str) -> None:
    """Let the header say what the body is; `label` is its transfer encoding, where that has changed."""
    has_fields = any(key == _VERSION or key.startswith(b"content-") for key in draft.firsts)
    is_text = not has_fields and (body.is_utf8 or not body.is_eight_bit)
    if not label and not (is_text and body.is_eight_bit):
        return
    if _VERSION not in draft.firsts:
        draft.append(b"MIME-Version: 1.0\r\n")
    if is_text:
        charset = "utf-8" if body.is_eight_bit else "us-ascii"
        draft.append(f"Content-Type: text/plain; charset={charset}\r\n".encode())
    value = f": {label or '8bit'}\r\n".encode()
    encoding = draft.firsts.get(_ENCODING)
    if encoding is None:
        draft.append(b"Content-Transfer-Encoding" + value)
    else:
        draft.rewrite(encoding, encoding.name + value, What.RELABELLED)
