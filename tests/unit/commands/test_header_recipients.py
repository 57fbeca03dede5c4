"""J-4: whom `sendmail -t` sends a message to."""

import pytest

from paperpath.commands.exits import ExitError
from paperpath.commands.header_recipients import find_recipients


def find(*lines: str) -> list[str]:
    return [str(mailbox) for mailbox in find_recipients("".join(f"{line}\r\n" for line in lines).encode())]


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (["To: a@x.example", "Cc: b@x.example", "BCC: c@x"], ["a@x.example", "b@x.example", "c@x"]),
        (["To: a@x.example,", " b@x.example,", "\tc"], ["a@x.example", "b@x.example", "c"]),
        (["To: a@x.example", "to: b@x.example"], ["a@x.example", "b@x.example"]),
        (["To: friends: a@x.example, B <b@x.example>;, c"], ["a@x.example", "b@x.example", "c"]),
        (["To: undisclosed-recipients:;"], []),
        (["To: ", "Cc: ,", "Bcc:"], []),
        (["To: Joe (the (real) one) <joe@x.example> (really)"], ["joe@x.example"]),
        (["To: =?utf-8?q?J=C3=B6rg?= <joerg@x.example>", "Cc: Jörg <j@x>"], ["joerg@x.example", "j@x"]),
        (['To: "a, b" <a@x.example>, "odd one"@x.example'], ["a@x.example", '"odd one"@x.example']),
        (["From: f@x.example", "Reply-To: r@x.example", "X-To: x@x.example"], []),
        (["To : a@x.example"], ["a@x.example"]),
        (["To: <@r.example:a@x.example>"], ["a@x.example"]),
    ],
)  # fmt: skip
def test_J4_groups_comments_folds_and_encoded_words(lines: list[str], wanted: list[str]) -> None:
    assert find(*lines) == wanted


def test_J4_of_a_message_that_was_sent_again_the_latest_block_counts() -> None:
    assert find(
        "Received: by x",
        "Resent-From: me@x.example",
        "Resent-To: new@x.example",
        "Resent-Bcc: blind@x.example",
        "Resent-From: other@x.example",
        "Resent-To: old@x.example",
        "To: first@x.example",
        "Bcc: first-blind@x.example",
    ) == ["new@x.example", "blind@x.example"]


def test_J4_a_block_without_recipients_hides_none_of_the_message() -> None:
    assert find("Resent-From: me@x.example", "To: first@x.example") == ["first@x.example"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [("To: a@@x.example", "^To: "), ("Cc: alice@x.example)bob@y.example", "^Cc: "), ("To: Joe Doe", "^To: ")],
)
def test_J4_what_cannot_be_read_is_bad_data(line: str, complaint: str) -> None:
    with pytest.raises(ExitError, match=complaint) as caught:
        find(line)
    assert caught.value.exit_code == 65


@pytest.mark.parametrize("header", [b"To: \xff <a@x.example>\r\n", b"To: a\0@x.example\r\n"])
def test_J4_octets_that_are_no_text_are_bad_data(header: bytes) -> None:
    with pytest.raises(ExitError) as caught:
        find_recipients(header)
    assert caught.value.exit_code == 65


def test_J4_ten_thousand_recipients_are_found() -> None:
    lines = ",\r\n ".join(f"r{number}@x.example" for number in range(10_000))
    assert len(find_recipients(f"To: {lines}\r\n".encode())) == 10_000
