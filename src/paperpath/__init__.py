"""Paperpath: a mail transfer system made of small cooperating programs. See docs/anatomy.md."""

import gc

__version__ = "0.1.0.dev0"

USUAL_COLLECTION = gc.get_threshold()
"""How often Python looks for garbage: what programs go back to when they begin their work."""

# While modules are imported nothing becomes garbage; to look for it took an eighth of each program's start.
gc.set_threshold(100_000, *USUAL_COLLECTION[1:])
