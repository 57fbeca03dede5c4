"""What is wrong with a field, and how it is said: in printable ASCII, for a reply to who wrote it."""

_MOST_SHOWN_CHARACTERS = 40


class FieldError(ValueError):
    """A value that cannot be understood or written; `str()` says what is wrong with it."""


def show(text: str) -> str:
    """Return the beginning of a text, fit to stand in what an error says."""
    shown = text[:_MOST_SHOWN_CHARACTERS]
    clean = "".join(character if " " <= character <= "~" else "?" for character in shown)
    return f'"{clean}..."' if len(text) > len(shown) else f'"{clean}"'
