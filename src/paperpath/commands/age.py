"""Lengths of time as an operator reads them."""

_UNITS = (("d", 86400), ("h", 3600), ("min", 60))


def format_age(seconds: float) -> str:
    """Write a length of time in the largest unit that it fills."""
    for unit, length in _UNITS:
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
