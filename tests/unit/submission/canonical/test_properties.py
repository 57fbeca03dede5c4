"""What holds of every message, with what a header is made of put together at random."""

from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.fuzz_canonical import WORDS, check

OPTIONS = st.binary(min_size=2, max_size=2)
NAMES = st.sampled_from([word for word in WORDS if word.endswith((b": ", b";"))])
WHOLE_FIELDS = st.sampled_from([word for word in WORDS if b": " in word and word.endswith(b"\r\n")])
VALUES = st.lists(st.sampled_from([word for word in WORDS if b": " not in word]), max_size=4).map(b"".join)
FIELDS = st.builds(lambda name, value: name + value + b"\r\n", NAMES, VALUES) | WHOLE_FIELDS
BODIES = st.lists(st.sampled_from(WORDS), max_size=25).map(b"".join)


@given(OPTIONS, st.lists(FIELDS, max_size=8).map(b"".join), BODIES)
def test_B26_canonical_form_twice_is_canonical_form_once(options: bytes, header: bytes, body: bytes) -> None:
    """And the body says what it said, whatever else `check` knows of."""
    check(options + header + b"\r\n" + body)
