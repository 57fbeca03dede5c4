"""What stands alone at the ends of lines (A-36)."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from paperpath.mail.newlines import has_bare_newline

_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_PIECES = st.lists(
    st.sampled_from([b"\r\n", b"\r", b"\n", b"x", b"\x85", b"\x0b", b"\xe2\x80\xa8"]), max_size=20
)


@given(_PIECES.map(b"".join))
@example(b"")
@example(b"a line\r\nno end")
@example(b"a line\r\n\r")
@example(b"\r\r\n\n")
def test_A35_A36_a_cr_or_lf_that_stands_alone_is_noticed_wherever_it_is(octets: bytes) -> None:
    assert has_bare_newline(octets) is (_BARE.search(octets) is not None)
