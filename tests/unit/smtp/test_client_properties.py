"""The client core with peers that say anything, however cut, against an independent reading (S-12, G-30).

The reading is of what the observer was shown: commands and replies, paired in the order of the wire. Only it
decides here who may have been delivered.
"""

import base64
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperpath.smtp.client import ClientConnection
from paperpath.smtp.client_events import Ready
from paperpath.smtp.client_settings import Credentials
from tests.support.core import CLIENT_NONCE
from tests.support.hostile_peer import CHALLENGE, CORES, EHLOS, RECIPIENTS, Driver
from tests.support.pair import CLIENT

GROUP = b"250 ok\r\n" * (1 + RECIPIENTS)  # to MAIL and each RCPT
GROUPS = st.lists(st.sampled_from([b"250 ok\r\n", b"250 ok\r\n", b"550 no\r\n", b"354 go\r\n"]), max_size=5)
SAID = st.one_of(
    st.sampled_from([GROUP, GROUP + b"354 go\r\n", GROUP + b"250 go\r\n"]),
    GROUPS.map(b"".join),
    st.sampled_from(
        [b"250 ok\r\n", b"250 ok\r\n250 ok\r\n250 ok\r\n", b"354 go\r\n", b"550 no\r\n", b"452 4.5.3 x\r\n"]
    ),
    st.sampled_from(
        [
            b"421 x\r\n",
            b"220 x\r\n",
            b"235 x\r\n",
            b"334 \r\n",
            b"250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n",
            b"250-x\r\n250 AUTH SCRAM-SHA-256\r\n",
            CHALLENGE,
        ]
    ),
    st.sampled_from([*EHLOS, b"999 x\r\n", b"250", b"-", b" ", b"\n", b"\r", b"250 x\n"]),
    st.binary(max_size=8),
)


class Scripted:
    """A peer that reads what it is sent: commands get the next code of its script, content gets `end`."""

    def __init__(self, codes: list[int], hello: bytes, end: int) -> None:
        self.end = end
        self.codes = iter(codes)  # 0 for what a well-behaved peer would say
        self.hello = hello
        self.pending = b""
        self.in_data = False

    def answer(self, octets: bytes) -> bytes:
        self.pending += octets
        said = b""
        while True:
            end = b"\r\n.\r\n" if self.in_data and not self.pending.startswith(b".\r\n") else b"\r\n"
            line, found, rest = self.pending.partition(end)
            if not found:
                return said
            self.pending = rest
            said += self.reply(line)

    def reply(self, line: bytes) -> bytes:
        if self.in_data:
            self.in_data = False
            return b"%d done\r\n" % self.end
        if line.startswith((b"EHLO", b"LHLO")):
            return self.hello
        if line.startswith(b"BDAT") and not line.startswith(b"BDAT 0"):
            self.pending = self.pending[int(line.split()[1]) :]
        if line == b"QUIT":
            return b"221 bye\r\n"
        usual = {b"DATA": 354, b"BDAT 0 LAST": self.end}
        code = next(self.codes, 0) or usual.get(line, 250)
        self.in_data = line == b"DATA" and code == 354
        return b"%d-said\r\n%d x\r\n" % (code, code)


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(st.sampled_from(CORES), st.booleans(), st.sampled_from([b"", *EHLOS]), st.lists(SAID, max_size=25))
def test_S12_G19_G28_G30_no_peer_makes_it_raise_or_believe(core, binary, hello, said):
    driver = Driver(core, binary=binary)
    if hello:
        driver.hear(b"220 x\r\n")
        driver.hear(hello)
    for octets in said:
        driver.hear(octets)
    driver.end()


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(CORES[:1] + CORES[3:4]),
    st.booleans(),
    st.sampled_from(EHLOS),
    st.lists(st.sampled_from([*[0] * 12, 250, 354, 550, 452, 421, 199]), max_size=16),
    st.sampled_from([250, 250, 354, 451, 550, 421, 199]),
    st.integers(1, 9),
)
def test_any_cut_gives_the_same(core, binary, hello, codes, end, cut):
    def play(size: int) -> tuple[list[object], bytes]:
        driver, peer = Driver(core, binary=binary), Scripted(codes, hello, end)
        octets = b"220 x\r\n"
        while octets:
            begun = len(driver.sent)
            for place in range(0, len(octets), size):
                driver.hear(octets[place : place + size])
            octets = peer.answer(driver.sent[begun:])
        return driver.told, driver.sent

    assert play(10_000) == play(1) == play(cut)


FORGED = st.one_of(
    st.sampled_from([CHALLENGE, b"334 \r\n", b"334 dj1lQT09\r\n", b"235 x\r\n", b"250 x\r\n", b"535 x\r\n"]),
    st.binary(max_size=40).map(lambda octets: b"334 " + base64.b64encode(octets) + b"\r\n"),
)


@settings(max_examples=200)
@given(st.lists(FORGED, max_size=6))
def test_S12_G34_by_scram_no_peer_is_believed_that_does_not_know_the_password(said):
    core = ClientConnection(replace(CLIENT, credentials=Credentials("u", "x", CLIENT_NONCE)), encrypted=True)
    core.receive(b"220 x\r\n")
    core.next_event()
    core.receive(b"250-x\r\n250 AUTH PLAIN SCRAM-SHA-256\r\n")
    core.next_event()
    assert b"AUTH SCRAM-SHA-256 " in core.octets_to_send()
    for octets in said:
        core.receive(octets)
        assert not isinstance(core.next_event(), Ready)
    assert not core.can_begin
