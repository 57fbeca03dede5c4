"""How connections are shared out among relay clients (G-15, G-32), and that these are kept (P8)."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.config.loader import parse_document
from paperpath.mail.reply import make_reply
from paperpath.remote.fleet import Fleet, RelayClient, share_out
from paperpath.remote.jobs import Ahead, Done, FromClient, write_record
from paperpath.remote.outcomes import make_answer
from paperpath.service.log import open_log
from tests.support.installation import pathless
from tests.unit.config.example import RIGHT

ANSWER = make_answer("delivered", make_reply(250, "2.0.0", "Taken"))
LENGTH_OCTETS = 4


@given(st.integers(1, 500), st.integers(1, 64), st.data())
def test_G15_the_shares_are_all_there_is_and_as_even_as_can_be(most, count, data):
    first = data.draw(st.integers(0, count - 1))
    shares = share_out(most, count, first)
    assert len(shares) == count
    assert sum(shares) == most
    assert max(shares) - min(shares) <= 1
    assert shares[first] == max(shares)


def test_P8_whoever_keeps_no_client_any_more_is_found_out(monkeypatch):
    async def break_down(client, settings):
        raise RuntimeError("a defect")

    async def story() -> None:
        monkeypatch.setattr(RelayClient, "keep_alive", break_down)
        document = parse_document(RIGHT, pathless())
        async with Fleet(document, lambda said: None, lambda numbers: None, open_log("test")) as fleet:
            fleet.check()
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="a defect"):
                fleet.check()

    asyncio.run(story())


def test_F14_a_job_of_which_a_part_is_told_is_on_its_way_until_it_is_done():
    said: list[FromClient] = []
    client = RelayClient(0, said.append, lambda numbers: None, open_log("test"))
    client.jobs[1], client.by_destination["lmtp://a:24"] = "lmtp://a:24", 1
    records: list[FromClient] = [
        Ahead(1, (0,), (ANSWER,)),
        Done(1, (ANSWER, ANSWER), False),
        Ahead(1, (1,), (ANSWER,)),
    ]
    for record, jobs in zip(records, (1, 0, 0), strict=True):
        client._read(write_record(record)[LENGTH_OCTETS:])
        assert len(client.jobs) == client.by_destination.total() == jobs
    assert said == records[:2]  # nothing that comes behind the end is believed
