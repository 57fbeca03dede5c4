"""Paperpath: a mail transfer system made of small cooperating programs. See docs/anatomy.md."""

__version__ = "0.1.0.dev0"
