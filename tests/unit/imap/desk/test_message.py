"""Headers that are read without a structure end where the structure has their end (K-14)."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from paperpath.imap.desk.message import read_header
from paperpath.mail.mime.structure import read_structure


class Content:
    """A message in memory, which gives as little at a time as it likes."""

    def __init__(self, octets: bytes) -> None:
        self._whole = octets

    @property
    def octets(self) -> int:
        return len(self._whole)

    def read(self, begin: int, end: int) -> bytes:
        return self._whole[begin:end]

    def chunks(self, begin: int = 0, end: int | None = None) -> Iterator[bytes]:
        yield self._whole[begin:end]


@given(st.lists(st.sampled_from([b"\r\n", b"a: b", b"\r", b"\n", b" ", b"x" * 17_000]), max_size=12))
def test_K14_a_header_ends_where_the_structure_says(pieces: list[bytes]) -> None:
    octets = b"".join(pieces)
    header = read_structure([octets]).header
    assert read_header(Content(octets)) == octets[header.begin : header.end]
