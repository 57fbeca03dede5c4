"""How connections are shared out among relay clients (G-15, G-32)."""

from hypothesis import given
from hypothesis import strategies as st

from paperpath.remote.fleet import share_out


@given(st.integers(1, 500), st.integers(1, 64), st.data())
def test_G15_the_shares_are_all_there_is_and_as_even_as_can_be(most, count, data):
    first = data.draw(st.integers(0, count - 1))
    shares = share_out(most, count, first)
    assert len(shares) == count
    assert sum(shares) == most
    assert max(shares) - min(shares) <= 1
    assert shares[first] == max(shares)
