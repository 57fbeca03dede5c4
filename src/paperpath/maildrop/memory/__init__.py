"""The maildrop in memory: for tests of everything above it, and the model that other engines are held to.

Same words, same outcomes, nothing durable. One `MemoryStore` is the queue; each worker opens a door to it.
"""

from paperpath.maildrop.memory.content import MemoryContent
from paperpath.maildrop.memory.engine import MemoryMaildrop
from paperpath.maildrop.memory.store import MemoryStore

__all__ = ["MemoryContent", "MemoryMaildrop", "MemoryStore"]
