"""Replies are legal whatever text they are given (A-2, A-52, S-6)."""

from hypothesis import given
from hypothesis import strategies as st

from paperpath.mail.reply import Reply, make_reply
from paperpath.smtp import replies


def test_A2_every_line_has_the_code_and_a_crlf() -> None:
    reply = Reply(250, "", ("mx.here.example", "SIZE 1", "8BITMIME"))
    assert reply.octets == b"250-mx.here.example\r\n250-SIZE 1\r\n250 8BITMIME\r\n"


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_S6_no_text_can_break_a_reply(lines: list[str]) -> None:
    octets = Reply(550, "5.7.1", tuple(lines)).octets
    assert octets.endswith(b"\r\n")
    found = octets[:-2].split(b"\r\n")
    assert len(found) == len(lines)
    for number, line in enumerate(found, 1):
        assert len(line) + 2 <= 512
        assert line.startswith(b"550 5.7.1 " if number == len(found) else b"550-5.7.1 ")
        assert all(32 <= octet < 127 for octet in line)


def test_A52_named_replies_carry_a_status_of_their_class() -> None:
    named = {name: value for name, value in vars(replies).items() if isinstance(value, Reply)}
    assert named
    for name, reply in named.items():
        assert name.startswith(f"R{reply.code}_")
        expected = "" if reply.code // 100 == 3 else str(reply.code)[0]
        assert reply.status[:1] == expected


def test_a_reply_reads_as_one_line() -> None:
    assert str(make_reply(451, "4.3.0", "Later")) == "451 4.3.0 Later"
