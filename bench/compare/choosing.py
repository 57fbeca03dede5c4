"""Which sides can take part here, and what a reader should know of them."""

from collections.abc import Sequence
from importlib import metadata

from bench import ours, postfix
from bench.failure import AbsentError
from bench.workplace import Workplace

POSTFIX_NAMES = (postfix.TUNED_NAME, postfix.EXPERT_NAME, postfix.DEFAULT_NAME)
NAMES = (ours.NAME, *POSTFIX_NAMES)
USUAL = (ours.NAME, postfix.TUNED_NAME, postfix.DEFAULT_NAME)
QUICK = (ours.NAME, postfix.TUNED_NAME)


def has_postfix(names: Sequence[str]) -> bool:
    """Whether one of them is a Postfix."""
    return any(name in POSTFIX_NAMES for name in names)


def usable(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The sides this user can run, and remarks on them; AbsentError if none is left."""
    why = postfix.obstacle() if has_postfix(names) else None
    told = [ours.REMARK] if ours.NAME in names else []
    if why is None:
        return list(names), [*told, *(postfix.remarks() if has_postfix(names) else [])]
    return without_postfix(names, why), [*told, f"Postfix is not measured: {why}."]


def reachable(names: Sequence[str], place: Workplace) -> list[str]:
    """The sides that can work in the work folder; AbsentError if none is left."""
    if place.public or not has_postfix(names):
        return list(names)
    return without_postfix(names, (place.remark or "the work folder is closed to it").rstrip("."))


def without_postfix(names: Sequence[str], why: str) -> list[str]:
    """The sides that are not Postfix; AbsentError with the reason if none is left."""
    left = [name for name in names if name not in POSTFIX_NAMES]
    if not left:
        raise AbsentError(f"Postfix cannot be measured: {why}.")
    return left


def versions(names: Sequence[str]) -> dict[str, str]:
    """The versions of the programs measured, as far as they can be told."""
    found = {ours.NAME: metadata.version(ours.NAME)} if ours.NAME in names else {}
    return found | ({"postfix": postfix.Installation().version} if has_postfix(names) else {})
