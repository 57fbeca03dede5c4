r"""Dialogues with all of imapd but its sockets, over a real mail store: what is announced works (K.1, K.2).

`C:` is said by the first session, `C>` without the end of the line, `S:` is what it hears, every line of it
and nothing else; `C2:` and so on are of a second one. A session begins where it is first named, and has
logged in. `P: MAILBOX NAME ...` puts one of the messages there by IMAP, with flags and date as they stand
behind; `D: NAME` delivers it as smtpld does, `D! NAME` finds that it has no room. In what is said and heard
`<word>` stands for what was heard in that place first, and `...` at the end for anything;
`\r`, `\n` and `\0` are those.
A file may begin with `=` and settings: quota=TEXT, minus (LITERAL-), strangers (nobody has logged in).
"""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from paperpath.config.quota import NO_QUOTA, parse_quota
from paperpath.folders.quota import OverQuotaError
from paperpath.imap.extensions import Extension
from tests.support.imap_desk import SETTINGS, Client, House, open_house
from tests.support.mime import text

HERE = Path(__file__).parent / "imapd"
FILES = sorted(HERE.glob("*.txt"))
MINUS = replace(
    SETTINGS, extensions=SETTINGS.extensions - {Extension.LITERAL_PLUS} | {Extension.LITERAL_MINUS}
)
_STEP = re.compile(r"(C|S|P|D)(\d?)([:>!]) ?(.*)")
_NAME = re.compile(rb"<([a-z]+)>")


def read_message(name: str) -> bytes:
    return text((HERE / "messages" / f"{name}.eml").read_text(encoding="utf-8"))


class Player:
    """One file that is played."""

    def __init__(self, house: House, *, logged_in: bool) -> None:
        self._house = house
        self._logged_in = logged_in
        self._clients: dict[str, Client] = {}
        self._lines: dict[str, list[bytes]] = {}
        self._names: dict[bytes, bytes] = {}

    def play(self, line: str) -> None:
        step = _STEP.fullmatch(line)
        assert step is not None
        kind, who, mark, rest = step.groups()
        if kind == "C":
            self._say(who, rest.encode().decode("unicode_escape").encode("latin-1"), ends=mark == ":")
        elif kind == "S":
            self._hear(
                who, rest.encode().replace(b"\\r", b"\r").replace(b"\\n", b"\n").replace(b"\\0", b"\0")
            )
        elif kind == "P":
            mailbox, name, *between = rest.split(" ", 2)
            told = self._client("put").put(
                mailbox, read_message(name), "".join(f"{each} " for each in between)
            )
            assert told.startswith(b"t OK"), told
        elif mark == "!":
            with pytest.raises(OverQuotaError):
                self._house.deliver(read_message(rest))
        else:
            self._house.deliver(read_message(rest))

    def end(self) -> None:
        for who in self._clients:
            self._take(who)
        assert not any(self._lines.values()), self._lines

    def _client(self, who: str) -> Client:
        if who not in self._clients:
            self._clients[who] = self._house.enter(logged_in=self._logged_in)
            self._lines[who] = []
            self._clients[who].take_lines()
        return self._clients[who]

    def _take(self, who: str) -> list[bytes]:
        lines = self._lines[who]
        lines += self._clients[who].take_lines()
        return lines

    def _say(self, who: str, octets: bytes, *, ends: bool) -> None:
        client = self._client(who)
        assert not self._take(who), "there was more to hear"
        said = _NAME.sub(lambda name: self._names.get(name[1], name[0]), octets)
        self._lines[who] += client.say(said + (b"\r\n" if ends else b""))

    def _hear(self, who: str, expected: bytes) -> None:
        self._client(who)
        lines = self._take(who)
        assert lines, "nothing was heard"
        match = self._compile(expected).fullmatch(lines[0])
        assert match is not None, lines
        self._names |= {name.encode(): value for name, value in match.groupdict().items()}
        del lines[0]

    def _compile(self, expected: bytes) -> "re.Pattern[bytes]":
        pattern = b""
        for place, piece in enumerate(_NAME.split(expected.removesuffix(b"..."))):
            if place % 2 == 0:
                pattern += re.escape(piece)
            elif piece in self._names:
                pattern += re.escape(self._names[piece])
            else:
                pattern += rb'(?P<%s>[^\s()\[\]",]+)' % piece
        return re.compile(pattern + (b".*" if expected.endswith(b"...") else b""), re.DOTALL)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_dialogue_with_imapd(file: Path, tmp_path: Path) -> None:
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    how = dict(word.partition("=")[::2] for word in lines[0][1:].split()) if lines[0][0] == "=" else {}
    quota = parse_quota(how["quota"]) if "quota" in how else NO_QUOTA
    with open_house(tmp_path, quota=quota, settings=MINUS if "minus" in how else SETTINGS) as house:
        player = Player(house, logged_in="strangers" not in how)
        for number, line in enumerate(lines[bool(how) :], 1):
            try:
                player.play(line)
            except AssertionError as error:
                raise AssertionError(f"{file.name}: {line} (step {number}): {error}") from error
        player.end()
