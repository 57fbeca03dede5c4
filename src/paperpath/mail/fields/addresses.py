"""Lists of addresses as From, To and their like hold them (RFC 5322 §3.4, §4.4; RFC 6532 §3.2).

Called by the canonical form. Obsolete syntax is understood; what two readers could understand in two ways is
refused. A mailbox is legal here if it is in an envelope (mail.address), but that its domain may be absent,
and may end with a dot.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from paperpath.mail.address import AddressError, Mailbox, format_mailbox, is_address_literal, parse_local_part
from paperpath.mail.domain import to_a_labels
from paperpath.mail.fields.error import FieldError, show
from paperpath.mail.fields.folding import unfold
from paperpath.mail.fields.lexer import Kind, Token, read_tokens, unquote
from paperpath.mail.fields.phrases import read_phrase

_WORDS = (Kind.ATOM, Kind.QUOTED, Kind.ENCODED)
_BLANK_LINE = re.compile(r"\r\n[ \t]*+(?:\r\n|\Z)")
_MARKS = {
    ",": "a comma between addresses",
    ";": "a semicolon at the end of the group",
    ">": "a closing angle bracket",
    "@": "an @",
}


@dataclass(frozen=True, slots=True)
class Named:
    """One mailbox of a list; its `domain` is empty where none stands, and keeps a dot at its end.

    `name` is the display name as it is to be written: atoms, quoted strings and encoded words with single
    blanks between them; empty for none. `comments` are as they stood, without their outer parentheses.
    `is_bracketed`: angle brackets stood around it, as they must where it has a name.
    """

    mailbox: Mailbox
    name: str = ""
    comments: tuple[str, ...] = ()
    is_bracketed: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Mailboxes under one name, perhaps none; `name` and `comments` as in `Named`."""

    name: str
    members: tuple[Named, ...] = ()
    comments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AddressList:
    """What a list holds, in its order, and whether it is written canonically.

    `is_canonical`: nothing in it is obsolete or quoted needlessly, so it may stay as it is, octet for octet;
    whether its domains are complete is for others to judge, and so is what is beyond ASCII.
    """

    addresses: tuple[Named | Group, ...]
    is_canonical: bool

    @property
    def mailboxes(self) -> Iterator[Named]:
        """All mailboxes, those in groups too."""
        for address in self.addresses:
            if isinstance(address, Group):
                yield from address.members
            else:
                yield address


def parse_addresses(text: str) -> AddressList:
    """Read the value of an address field, folded or not; it must hold one address at least.

    Raises: FieldError.
    """
    reader = _Reader(text)
    addresses = reader.read_list()
    if not addresses:
        raise FieldError("there is no address")
    return AddressList(addresses, not reader.is_obsolete and _BLANK_LINE.search(text) is None)


class _Reader:
    """The token that comes next, and the comments that belong to no address yet."""

    def __init__(self, text: str) -> None:
        self.is_obsolete = False
        self._text = unfold(text)
        self._tokens = read_tokens(self._text)
        self._comments: list[str] = []
        self._go_on()

    def read_list(self) -> tuple[Named | Group, ...]:
        addresses = [self._read_address() for _ in self._each_member("")]
        if self._comments and addresses:  # they stand behind the last comma
            last = addresses[-1]
            addresses[-1] = replace(last, comments=last.comments + self._take_comments())
        return tuple(addresses)

    def _each_member(self, end: str) -> Iterator[None]:
        """Stop at each member up to `end`; it must be read before this goes on."""
        while self._token.text != end:
            if self._skip(","):  # RFC 5322 §4.4: an empty member
                self.is_obsolete = True
                continue
            if self._token.kind is Kind.END:
                raise self._complain(_MARKS[end])
            yield
            if self._token.text not in (end, ""):  # at the very end there is no text
                self._expect(",")
                self.is_obsolete |= self._token.text == end

    def _read_address(self) -> Named | Group:
        words = self._read_words()
        if words and self._skip(":"):
            return self._read_group(words)
        return self._read_mailbox(words)

    def _read_group(self, words: Sequence[Token]) -> Group:
        comments = self._take_comments()
        members = tuple(self._read_mailbox(self._read_words()) for _ in self._each_member(";"))
        self._expect(";")
        return Group(self._read_name(words), members, comments + self._take_comments())

    def _read_mailbox(self, words: Sequence[Token]) -> Named:
        if self._skip("<"):
            mailbox = self._read_bracketed()
            return Named(mailbox, self._read_name(words), self._take_comments(), is_bracketed=True)
        mailbox = self._read_addr_spec(words)
        if self._token.text == "<":
            raise self._complain("quotes around a name with an @ before <>")
        return Named(mailbox, comments=self._take_comments())

    def _read_name(self, words: Sequence[Token]) -> str:
        name = read_phrase(words)
        self.is_obsolete |= name != " ".join(word.text for word in words)
        return name

    def _read_bracketed(self) -> Mailbox:
        if self._token.text in ("@", ","):
            self._skip_route()
        mailbox = self._read_addr_spec(self._read_words())
        self._expect(">")
        return mailbox

    def _skip_route(self) -> None:
        """Check a route and drop it (RFC 5322 §4.4)."""
        self.is_obsolete = True
        while self._skip(","):
            pass
        self._expect("@")
        self._read_domain()
        while not self._skip(":"):
            self._expect(",")
            if self._skip("@"):
                self._read_domain()

    def _read_addr_spec(self, words: Sequence[Token]) -> Mailbox:
        local = self._read_local_part(words)
        if self._token.text != "@":
            return Mailbox(local, "")
        self.is_obsolete |= self._token.is_spaced
        self._go_on()
        self.is_obsolete |= self._token.is_spaced
        return Mailbox(local, self._read_domain())

    def _read_local_part(self, words: Sequence[Token]) -> str:
        """Return the local part that these words are, without quotes."""
        if not words:
            raise self._complain("an address")
        if not _are_dotted(words):
            raise FieldError(f"expected an address, got {self._show(words)}; behind a name it stands in <>")
        written = self._join(words)
        local = "".join(unquote(word.text) if word.kind is Kind.QUOTED else word.text for word in words)
        shortest = format_mailbox(Mailbox(local, ""))
        try:
            parse_local_part(shortest)
        except AddressError as error:
            raise FieldError(f"{error}: {self._show(words)}") from None
        self.is_obsolete |= written != shortest
        return local

    def _read_domain(self) -> str:
        """Read a domain, or an address literal with its brackets."""
        if self._token.kind is Kind.LITERAL:
            return self._read_literal()
        words = self._read_words()
        if not words:
            raise self._complain("a domain")
        dot = "." if words[-1].text == "." else ""
        name = self._join(words).removesuffix(dot)
        if to_a_labels(name) is None or not _are_dotted(words[: len(words) - len(dot)]):
            raise FieldError(f"the domain is malformed: {self._show(words)}")
        self.is_obsolete |= bool(dot)
        return name + dot

    def _read_literal(self) -> str:
        written = self._token.text
        inner = unquote(written).strip(" \t")
        literal = f"[{inner}]"
        if not is_address_literal(literal):
            raise FieldError(f"the address literal is malformed: {show(written)}")
        self.is_obsolete |= written != literal
        self._go_on()
        return literal

    def _join(self, words: Sequence[Token]) -> str:
        """Join words and dots as they are written, but for what stands between them."""
        if any(word.kind is Kind.ENCODED for word in words):  # RFC 2047 §5
            raise FieldError(f"an encoded word stands in an address: {self._show(words)}")
        self.is_obsolete |= any(word.is_spaced for word in words[1:])
        return "".join(word.text for word in words)

    def _read_words(self) -> list[Token]:
        """Read words and dots, as far as there are any."""
        words = []
        while self._token.kind in _WORDS or self._token.text == ".":
            words.append(self._token)
            self._go_on()
        return words

    def _skip(self, mark: str) -> bool:
        """Go on if this comes next; tell whether it did."""
        is_next = self._token.text == mark
        if is_next:
            self._go_on()
        return is_next

    def _expect(self, mark: str) -> None:
        if not self._skip(mark):
            raise self._complain(_MARKS[mark])

    def _go_on(self) -> None:
        self._token = next(self._tokens)
        self._comments += self._token.comments

    def _take_comments(self) -> tuple[str, ...]:
        comments = tuple(self._comments)
        self._comments.clear()
        return comments

    def _show(self, words: Sequence[Token]) -> str:
        """Show words that were just read."""
        return show(self._text[words[0].start : self._token.start].rstrip())

    def _complain(self, expected: str) -> FieldError:
        rest = self._text[self._token.start :]
        return FieldError(f"expected {expected}, got {show(rest) if rest else 'nothing'}")


def _are_dotted(words: Sequence[Token]) -> bool:
    """Tell whether there is a dot between two words each, and nowhere else."""
    return len(words) % 2 == 1 and all(
        (word.text == ".") is bool(number % 2) for number, word in enumerate(words)
    )
