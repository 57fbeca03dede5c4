"""Which words of the language a session may use: what is carried out here, what the client switched on.

Kept by the core, read by the grammar.
"""

from collections.abc import Iterable

from paperpath.imap.completion import no
from paperpath.imap.extensions import Extension
from paperpath.imap.fault import Fault, misread
from paperpath.mail import utf7

# What ENABLE knows (RFC 5161 §4.1; RFC 6855 §3; RFC 7162 §3.1, §3.2; RFC 9051 §6.3.1).
SWITCHES = (Extension.REV2, Extension.CONDSTORE, Extension.QRESYNC, Extension.UTF8_ACCEPT)
_UTF8 = frozenset({Extension.REV2, Extension.UTF8_ACCEPT})


class Dialect:
    """The language of one session."""

    def __init__(self, carried_out: frozenset[Extension]) -> None:
        """Begin as RFC 3501 has it, with whatever needs no switching on."""
        self._carried_out = carried_out
        self._enabled: set[Extension] = set()

    def knows(self, extension: Extension) -> bool:
        """Tell whether an extension is carried out here."""
        return extension in self._carried_out

    def require(self, extension: Extension) -> None:
        """See that an extension is carried out here: otherwise its words are unknown."""
        if extension not in self._carried_out:
            raise misread(f"nothing of {extension.value}")

    def is_enabled(self, extension: Extension) -> bool:
        """Tell whether the client has switched an extension on."""
        return extension in self._enabled

    def enable(self, extensions: Iterable[Extension]) -> None:
        """Switch on; QRESYNC is CONDSTORE too (RFC 7162 §3.2.3)."""
        self._enabled.update(extensions)
        if Extension.QRESYNC in self._enabled:
            self._enabled.add(Extension.CONDSTORE)

    @property
    def utf8(self) -> bool:
        """Whether names are in UTF-8, both ways; otherwise they are in modified UTF-7."""
        return not self._enabled.isdisjoint(_UTF8)

    def read_name(self, octets: bytes) -> str:
        """Read the name of a mailbox, or a pattern for such names; INBOX in capitals."""
        try:
            name = octets.decode("utf-8") if self.utf8 else utf7.decode(octets)
        except ValueError:
            if self.utf8:  # RFC 6855 §3
                raise misread("a name in UTF-8") from None
            raise Fault(no("No mailbox has that name, which is not in modified UTF-7", "CANNOT")) from None
        return "INBOX" if name.lower() == "inbox" else name

    def write_name(self, name: str) -> bytes:
        """Write the name of a mailbox."""
        return name.encode("utf-8") if self.utf8 else utf7.encode(name)
