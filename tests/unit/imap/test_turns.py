"""Commands are carried out in turns, which end (promise P6)."""

import asyncio
import itertools
from contextlib import closing

from paperpath.imap.completion import Completion, ok
from paperpath.imap.desk.desk import Deed
from paperpath.imap.turns import MOST_OCTETS, Turns

_PIECE = b"x" * 1000


def give(pieces: int) -> Deed:
    for _ in range(pieces):
        yield _PIECE
    return ok("Done")


async def take_all(deed: Deed) -> tuple[list[int], Completion]:
    with closing(Turns(1)) as turns:
        sizes = []
        for _ in itertools.count():
            turn = await turns.take(deed)
            sizes.append(len(turn.octets))
            if turn.completion is not None:
                return sizes, turn.completion
    raise AssertionError


def test_P6_a_turn_ends_when_it_has_given_enough() -> None:
    sizes, completion = asyncio.run(take_all(give(200)))
    assert sum(sizes) == 200 * len(_PIECE)
    assert max(sizes) < MOST_OCTETS + len(_PIECE)
    assert completion == ok("Done")
