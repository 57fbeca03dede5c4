"""The two canonical forms, for header and body alike (RFC 6376 §3.4)."""

from enum import StrEnum


class Form(StrEnum):
    """By the word that stands in the tag c=."""

    SIMPLE = "simple"
    RELAXED = "relaxed"
