"""A header in canonical form: what is added, removed, rewritten, refused, and what stays as it is."""

import subprocess
import sys
from dataclasses import replace
from datetime import datetime

import pytest

from paperpath.config.domain import DomainPattern
from paperpath.mail.address import Mailbox
from paperpath.submission.canonical.values import Masquerade
from tests.support.canonical import COMPLETE, RULES, WHOLE, put, refuse, to_wire

LENIENT = replace(RULES, is_strict=False)


# Nothing to do


@pytest.mark.parametrize(
    "header",
    [
        WHOLE,
        WHOLE + 'Cc: "A. B" <a@b.example>,\n\tc@d.example (note), g: x@y.example;\n',
        WHOLE + "X-Odd:no blank\nx-ODD: again\n\t folded   \nSubject:\n",
        "Received: from somewhere\n by here; never\n" + WHOLE + "Subject: =?utf-8?q?=C3=BC?= \n\t=?x?\n",
        "DATE:Mon,23 Nov 2026 09:55 +0100 (CET)\nfrom:<a.b@c.example>\nBCC: \nMessage-Id:<a@b> (x)\n",
        WHOLE + "To-Do: nothing\nBcc-Not: a@b.example\n",
        WHOLE + "Subject: esc \x1b$B and \x7f and \x01\n",
        WHOLE.replace("joe@here.example", '"=?utf-8?q?x?=" <joe@[192.0.2.1]>'),
        WHOLE + "Sender: one@else.example\nReply-To: a@b.example, c@d.example\n",
        WHOLE + "X: " + "y" * 995 + "\n",
    ],
)
def test_B26_what_needs_nothing_is_the_same_object(header: str) -> None:
    octets = to_wire(header)
    done = put(octets)
    assert done.made.header is octets
    assert (done.changes, done.made.encoder, done.made.is_eight_bit) == ([], None, False)


def test_B26_fields_around_a_change_keep_their_order_and_octets() -> None:
    odd = "X-A:  two  blanks\t\nFROM: joe@here.example\nx-b:\n y\nTo: mary\nX-C: c \n"
    done = put(odd + COMPLETE)
    assert done.header == odd.replace("To: mary", "To: mary@here.example") + COMPLETE
    assert done.changes == ["To given full domains"]


# Date


def test_B10_a_missing_date_is_added_in_local_time() -> None:
    done = put("From: joe@here.example\nTo: a@b.example\nMessage-ID: <a@b>\n")
    assert done.header.endswith("\nDate: Mon, 23 Nov 2026 09:55:06 +0100\n")
    assert done.changes == ["Date added"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Fri, 21 Nov 97 09:55 EST", "Fri, 21 Nov 1997 09:55:00 -0500"),
        ("21 Nov 97 09:55:06 GMT", "Fri, 21 Nov 1997 09:55:06 +0000"),
        ("Thu, 21 Nov 1997 09(comment):55:06 -0600", "Fri, 21 Nov 1997 09:55:06 -0600"),
    ],
)
def test_B10_an_obsolete_date_is_rewritten_as_the_same_instant(written: str, expected: str) -> None:
    done = put(WHOLE.replace("Mon, 23 Nov 2026 09:55:06 +0100", written))
    assert done.values("Date") == [expected]
    assert done.changes == ["Date rewritten from an obsolete form"]


@pytest.mark.parametrize("written", ["", "yesterday", "Mon, 32 Nov 2026 09:55:06 +0100", "2026-11-23T09:55Z"])
def test_B10_a_date_that_cannot_be_read_is_replaced(written: str) -> None:
    done = put(
        WHOLE.replace("Mon, 23 Nov 2026 09:55:06 +0100", written), now=datetime(2027, 1, 1).astimezone()
    )
    assert done.values("Date")[0].startswith("Fri, 1 Jan 2027 00:00:00 ")
    assert done.changes == ["Date replaced, for it could not be read"]


# Message-ID


@pytest.mark.parametrize(
    "written", ["", "<>", "no brackets", "<a b@c>", "<a@b> <c@d>", "<a@b@c>", "<nothing>"]
)
def test_B11_an_id_that_is_missing_or_invalid_is_made(written: str) -> None:
    done = put(WHOLE.replace("<id@here.example>", written))
    assert done.values("Message-ID") == ["<token@mx.here.example>"]
    assert done.changes == ["Message-ID replaced, for it could not be read"]
    done = put(WHOLE.replace("Message-ID: <id@here.example>\n", ""))
    assert done.header.endswith("Message-ID: <token@mx.here.example>\n")
    assert done.changes == ["Message-ID added"]


def test_B11_ids_are_as_different_as_their_tokens() -> None:
    header = WHOLE.replace("Message-ID: <id@here.example>\n", "")
    ids = {put(header, token=f"t{number}").values("Message-ID")[0] for number in range(10_000)}
    assert len(ids) == 10_000


# Who wrote it


def test_B12_a_missing_author_is_who_submits() -> None:
    header = f"To: a@b.example\n{COMPLETE}"
    done = put(header)
    assert done.header == header + "From: joe@here.example\n"
    assert done.changes == ["From added"]
    identity = Mailbox("login", "here.example")
    assert put(header, identity=identity).values("From") == ["login@here.example"]
    done = put(header, identity=identity, full_name="Joe Q. Public")
    assert done.values("From") == ['"Joe Q. Public" <login@here.example>']
    assert put(header, full_name="Jörg").values("From") == ["=?utf-8?q?J=C3=B6rg?= <joe@here.example>"]
    assert put(header, full_name="Jö", international=True).values("From") == ["Jö <joe@here.example>"]
    assert put(f"From:\n{header}").values("From") == ["joe@here.example"]
    assert put(header, identity=Mailbox("login", "")).values("From") == ["login@here.example"]
    assert refuse(header, identity=Mailbox("login", "host")).startswith("554 5.1.3 From: login@host")


def test_B12_without_anybody_who_could_be_the_author_it_is_refused() -> None:
    assert refuse(f"To: a@b.example\n{COMPLETE}", sender=None).startswith("554 5.6.0 There is no From")
    reply = refuse(f"To: a@b.example\n{COMPLETE}", sender=Mailbox("jö", "here.example"))
    assert reply.startswith("550 5.6.7 From:")


def test_B13_several_authors_need_one_sender() -> None:
    header = WHOLE.replace("From: joe@here.example", "From: a@b.example, c@d.example")
    done = put(header)
    assert done.header == header + "Sender: joe@here.example\n"
    assert done.changes == ["Sender added"]
    assert put(f"{header}Sender: x@y.example\n").changes == []
    assert put(WHOLE.replace("joe@here.example", "Robots:;")).values("Sender") == ["joe@here.example"]
    assert refuse(header, sender=None).startswith("554 5.6.0 There is no Sender")


@pytest.mark.parametrize("sender", ["a@b.example, c@d.example", "g: a@b.example;", "g:;"])
def test_B13_a_sender_is_one_mailbox(sender: str) -> None:
    assert refuse(f"{WHOLE}Sender: {sender}\n") == "554 5.6.0 Sender: one mailbox must stand here"


def test_B13_an_author_whose_name_has_a_comma_is_one() -> None:
    assert put(WHOLE.replace("joe@here.example", '"Public, Joe" <joe@here.example>')).changes == []


# Recipients


def test_B14_without_recipients_an_empty_Bcc_is_added() -> None:
    header = f"From: joe@here.example\n{COMPLETE}"
    done = put(header)
    assert (done.header, done.changes) == (header + "Bcc:\n", ["Bcc added"])
    done = put(f"{header}To: \nCC: ,,\n")
    assert done.header == header + "Bcc:\n"
    assert done.changes == ["To removed, for it was empty", "CC removed, for it was empty", "Bcc added"]
    assert put(f"{header}To: undisclosed-recipients:;\n").changes == []


@pytest.mark.parametrize("name", ["Bcc", "BCC", "bcc", "Resent-Bcc", "Bcc "])
def test_B15_blind_recipients_stand_nowhere(name: str) -> None:
    blind = f"{name}: a@x.example,\n b@y.example\n"
    done = put(f"{blind}From: joe@here.example\n{blind}{COMPLETE}{blind}")
    assert "x.example" not in done.header
    assert "y.example" not in done.header
    assert f"{name.strip()} removed" in done.changes
    assert "x.example" not in " ".join(done.changes)
    assert [value for value in done.values("Bcc") if value] == []


def test_B14_B15_a_message_to_blind_recipients_only_has_one_empty_Bcc() -> None:
    done = put(f"Bcc: a@x.example\nBcc:\nBCC: b@y.example\nFrom: joe@here.example\n{COMPLETE}")
    assert done.values("Bcc") == [""]


def test_B15_an_empty_Bcc_goes_where_it_is_not_needed() -> None:
    done = put(f"Bcc: \n{WHOLE}Bcc:\n")
    assert done.header == WHOLE


def test_B15_what_is_removed_is_not_even_looked_at() -> None:
    done = put(b"Bcc: \xff(@@\r\nReturn-Path: \xff<\r\n" + to_wire(WHOLE))
    assert done.header == WHOLE


def test_B16_a_return_path_is_removed() -> None:
    done = put(f"Return-Path: <forged@x.example>\n{WHOLE}return-path:\n <>\n")
    assert done.header == WHOLE
    assert done.changes == ["Return-Path removed", "return-path removed"]


# Once each


@pytest.mark.parametrize("name", ["From", "Sender", "Date", "Message-ID", "Subject"])
def test_B17_two_of_these_are_refused(name: str) -> None:
    value = {"Date": "Mon, 23 Nov 2026 09:55:06 +0100", "Message-ID": "<a@b>"}.get(name, "a@b.example")
    header = "\n".join(line for line in WHOLE.splitlines() if not line.startswith(f"{name}:"))
    reply = refuse(f"{header}\n{name}: {value}\n{name.upper()}: {value}\n")
    assert reply == f"554 5.6.0 {name} stands 2 times in the header; there may be one"


@pytest.mark.parametrize("name", ["To", "Cc", "Reply-To"])
def test_B17_lists_of_addresses_are_merged(name: str) -> None:
    header = "\n".join(line for line in WHOLE.splitlines() if not line.startswith(f"{name}:"))
    done = put(f"{name}:a@b.example\n{header}\n{name.upper()}: \n{name}: c@d.example,\n e@f.example\n")
    assert done.values(name) == ["a@b.example, c@d.example, e@f.example"]
    assert done.header.startswith(f"{name}: a@b.example,\n c@d.example,\n e@f.example\nFrom")
    assert f"{name} merged into the first of that name" in done.changes


def test_B17_ids_are_merged() -> None:
    done = put(f"{WHOLE}References: <a@b>\nIn-Reply-To: <c@d>\nReferences:\n\t<e@f>\n <g@h>\n")
    assert done.values("References") == ["<a@b> <e@f> <g@h>"]
    assert done.values("In-Reply-To") == ["<c@d>"]


def test_B17_a_list_cannot_hide_the_next_in_a_comment() -> None:
    reply = refuse(f"{WHOLE}To: a@b.example (\nTo: b@c.example)\n")
    assert reply.startswith("554 5.6.0 To: ")


# Addresses


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("Joe . Smith @ b . example (c)", "Joe.Smith@b.example (c)"),
        ("<@a.example,@b.example:c@d.example>", "<c@d.example>"),
        (", a@b.example,, c@d.example ,", "a@b.example, c@d.example"),
        ('"joe"@b.example', "joe@b.example"),
        ("A. Person <a@b.example>", '"A. Person" <a@b.example>'),
        ("a@b.example.", "a@b.example"),
        (
            "=?utf-8?q?=C3=BC?= X. <a@b.example> (=?utf-8?q?=C3=BC?=)",
            '=?utf-8?q?=C3=BC?= "X." <a@b.example> (=?utf-8?q?=C3=BC?=)',
        ),
    ],
)
def test_B18_obsolete_addresses_are_understood(written: str, canonical: str) -> None:
    done = put(WHOLE.replace("mary@else.example", written))
    assert done.values("To") == [canonical]


def test_B18_blanks_before_a_colon_are_dropped() -> None:
    done = put(WHOLE.replace("Date:", "Date :") + "X \t: y\n")
    assert done.header == WHOLE + "X: y\n"
    assert done.changes == ["Date rewritten from an obsolete form", "X rewritten from an obsolete form"]


def test_B18_a_quoted_local_part_that_needs_its_quotes_keeps_them() -> None:
    assert put(WHOLE.replace("mary@else", '"a b"@else')).changes == []


@pytest.mark.parametrize(
    "written",
    [
        "a@@b",
        "a@b.example)c@d.example",
        "<a@b.example",
        "a b@c.example",
        "a@b@c.example",
        "=?utf-8?q?a?=@b.example",
        "g: a@b.example",
        "a@b.example c@d.example",
        '"open',
        "a@-b.example",
        "(",
        "a;b@c.example",
    ],
)
def test_B6_addresses_that_cannot_be_understood_are_refused(written: str) -> None:
    reply = refuse(WHOLE.replace("mary@else.example", written))
    assert reply.startswith("554 5.6.0 To: ")


def test_B19_a_known_local_part_gets_the_domain() -> None:
    header = f"From: joe\nTo: Mary <mary>, postmaster\nCc: g: joe;\n{COMPLETE}"
    done = put(header)
    assert done.values("From") == ["joe@here.example"]
    assert done.values("To") == ["Mary <mary@here.example>, postmaster@here.example"]
    assert done.values("Cc") == ["g: joe@here.example;"]


def test_B19_an_unknown_local_part_is_refused_or_completed() -> None:
    header = WHOLE.replace("mary@else.example", "nobody")
    reply = refuse(header)
    assert reply == "554 5.1.3 To: nobody is nobody known here; write a domain behind it"
    assert put(header, rules=LENIENT).values("To") == ["nobody@here.example"]


def test_B9_a_single_label_is_completed_only_if_that_is_configured() -> None:
    header = WHOLE.replace("mary@else.example", "mary@sales")
    assert refuse(header) == "554 5.1.3 To: mary@sales has a domain of one label; write the full one"
    completed = put(header, rules=replace(RULES, parent="here.example"))
    assert completed.values("To") == ["mary@sales.here.example"]


# Masquerading

MASQUERADE = Masquerade(
    (DomainPattern("host1.here.example"), DomainPattern(".lan.here.example")),
    "here.example",
    {"jru": Mailbox("J.Random.User", "here.example")},
)
MASKED = replace(RULES, masquerade=MASQUERADE)


def test_B20_only_originators_are_masqueraded() -> None:
    header = (
        "From: U <u@host1.here.example>\nSender: s@a.LAN.here.example\nReply-To: jru@host1.here.example\n"
        f"To: v@host1.here.example, v@host1.else.example\nCc: jru@here.example\n{COMPLETE}"
    )
    done = put(header, rules=MASKED)
    assert done.values("From") == ["U <u@here.example>"]
    assert done.values("Sender") == ["s@here.example"]
    assert done.values("Reply-To") == ["J.Random.User@here.example"]
    assert done.values("To") == ["v@host1.here.example, v@host1.else.example"]
    assert done.values("Cc") == ["jru@here.example"]
    assert done.changes == ["From masqueraded", "Sender masqueraded", "Reply-To masqueraded"]


@pytest.mark.parametrize("author", ["u@host2.here.example", "u@lan.here.example", "u@xhost1.here.example"])
def test_B20_domains_that_are_not_named_stay(author: str) -> None:
    assert put(WHOLE.replace("joe@here.example", author), rules=MASKED).changes == []


def test_B20_who_is_added_is_masqueraded_too() -> None:
    done = put(f"To: a@b.example\n{COMPLETE}", rules=MASKED, identity=Mailbox("JRU", "x.lan.here.example"))
    assert done.values("From") == ["J.Random.User@here.example"]
    done = put(WHOLE.replace("From: joe", "Resent-From: jru"), rules=MASKED)
    assert done.values("Resent-From") == ["J.Random.User@here.example"]


# Sent again

ORIGINAL = "Date: Fri, 21 Nov 97 09:55 EST\nFrom: old one\nTo: x@@y\nMessage-ID: strange\nSubject: s\n"


def test_B21_what_is_missing_of_the_topmost_block_is_added_and_the_original_stays() -> None:
    done = put(f"Resent-To: mary\n{ORIGINAL}")
    assert done.header == (
        "Resent-From: joe@here.example\n"
        "Resent-Date: Mon, 23 Nov 2026 09:55:06 +0100\n"
        "Resent-Message-ID: <token@mx.here.example>\n"
        f"Resent-To: mary@here.example\n{ORIGINAL}"
    )


def test_B21_only_the_topmost_block_is_looked_at() -> None:
    first = (
        "Resent-Date: Mon, 23 Nov 2026 09:55:06 +0100\nResent-From: a@b.example\n"
        "Resent-Message-ID: <r@b.example>\nResent-To: c@d.example\n"
    )
    older = "Resent-To: @@\nResent-From: nobody\n"
    assert put(f"{first}Received: x\n{older}{ORIGINAL}").changes == []
    assert put(f"{first.replace('Resent-To: c', 'X: c')}Received: x\n{older}{ORIGINAL}").changes == []
    assert put(f"Received: x\n{first}{older}{ORIGINAL}").changes == []
    done = put(f"{first.replace('b.example', 'b.example, x@y.example', 1)}{ORIGINAL}")
    assert done.header.startswith("Resent-Sender: joe@here.example\nResent-Date")


def test_B21_other_fields_may_stand_in_a_block() -> None:
    """As an old mailer of a large firm wrote them."""
    header = (
        f"Received: x\nResent-Date: Tue, 20 Aug 2002 15:04:35 -0700\n{ORIGINAL}"
        "Resent-Message-Id: <r@b.example>\nX-Y: z\nResent-To: mary@else.example\n"
        "Resent-From: a@b.example\nReceived: x\n"
    )
    assert put(header).changes == []


def test_B21_a_name_that_is_not_in_the_RFC_makes_no_message_sent_again() -> None:
    assert put("Resent-Nonsense: x\n").values("From") == ["joe@here.example"]


def test_B21_blind_recipients_make_a_message_sent_again_too() -> None:
    done = put(f"Resent-Bcc: c@d.example\n{ORIGINAL}")
    assert done.header.startswith("Resent-From: joe@here.example\nResent-Date: ")
    assert done.header.endswith(f"Resent-Message-ID: <token@mx.here.example>\n{ORIGINAL}")


# Lines


def test_B22_a_long_list_is_folded() -> None:
    addresses = [f"number{number:04}@else.example" for number in range(210)]
    for separator in (",", ", "):
        header = WHOLE.replace("mary@else.example", separator.join(addresses))
        assert len(header) > 5000
        done = put(header)
        assert done.values("To") == [", ".join(addresses)]
        assert max(map(len, done.header.split("\n"))) <= 78


def test_B22_other_long_lines_are_folded_at_blanks() -> None:
    text = "many words " * 200
    done = put(f"{WHOLE}X-Text: {text}\nSubject: {text}\n")
    assert done.values("X-Text") == [text.strip()]
    assert max(map(len, done.header.split("\n"))) <= 78
    assert done.changes == ["X-Text folded anew", "Subject folded anew"]


def test_B22_a_word_that_has_no_room_is_refused() -> None:
    assert refuse(f"{WHOLE}X-Text: a {'b' * 999}\n").startswith("554 5.6.0 X-Text: a word of ")
    assert refuse(f"{WHOLE}X-Text:{'b' * 1100}\n").startswith("554 5.6.0 X-Text: ")


def test_B22_a_name_that_has_no_room_is_refused() -> None:
    reply = refuse(f"{WHOLE}{'X' * 2000}: a\n")
    assert reply == f"554 5.6.0 {'X' * 40}...: a name of 2000 octets has no room in a line"


def test_B22_lines_of_white_space_go() -> None:
    done = put(f"{WHOLE}Subject: a\n \t\n b\n \nX:\n \n\t\n")
    assert done.header == f"{WHOLE}Subject: a\n b\nX:\n"
    assert done.changes == ["Subject folded anew", "X folded anew"]


# Fields that are none


@pytest.mark.parametrize(
    "line",
    ["no colon", ":empty", "Bad name: x", "Bäd: x", "From nobody Thu Jan  1 00:00:00 1970"],
)
def test_B24_a_line_that_is_no_field_is_refused(line: str) -> None:
    behind = refuse(f"{WHOLE}Subject: x\n{line}\n")
    assert behind.startswith("554 5.6.0 Behind Subject the header has a line that is no field")
    first = refuse(f"{line}\n{WHOLE}")
    assert first.startswith("554 5.6.0 At its begin the header has a line that is no field")


def test_B24_a_header_that_begins_with_a_fold_is_refused() -> None:
    assert refuse(f" x\n{WHOLE}").startswith("554 5.6.0 At its begin the header has a line that is no field")


# Beyond ASCII


def test_B25_text_in_utf8_becomes_encoded_words() -> None:
    done = put(f"{WHOLE}Subject: é\nX-Anything: über alles\nComments: plain\n")
    assert done.values("Subject") == ["=?utf-8?b?w6k=?="]
    assert done.values("X-Anything") == ["=?utf-8?q?=C3=BCber?= alles"]
    assert done.changes == ["Subject encoded", "X-Anything encoded"]
    assert not done.made.is_eight_bit


def test_B25_names_and_comments_in_utf8_become_encoded_words() -> None:
    done = put(WHOLE.replace("mary@else.example", '"Ü, x" <mary@else.example> (für sie)'))
    assert done.values("To")[0].endswith(" <mary@else.example> (=?utf-8?q?f=C3=BCr?= sie)")
    assert done.header.isascii()
    done = put(f"{WHOLE}Disposition-Notification-To: Ü <mary@else.example>\n")
    assert done.values("Disposition-Notification-To") == ["=?utf-8?b?w5w=?= <mary@else.example>"]


@pytest.mark.parametrize("address", ["jö@else.example", "joe@bücher.example", "Jö <jö@else.example>"])
def test_B25_an_address_beyond_ascii_is_refused(address: str) -> None:
    reply = refuse(WHOLE.replace("mary@else.example", address))
    assert reply == "550 5.6.7 To: an address beyond ASCII can only be sent with SMTPUTF8"


def test_B25_what_is_no_utf8_is_refused() -> None:
    for octets in (b"Subject: \xe9\r\n", b"Subject: \xc0\xaf\r\n", b"X: \xed\xa0\x80\r\n"):
        assert refuse(to_wire(WHOLE) + octets).startswith("554 5.6.0 ")
        assert refuse(to_wire(WHOLE) + octets, international=True).startswith("554 5.6.0 ")


def test_B25_where_encoded_words_have_no_place_it_is_refused() -> None:
    reply = refuse(f'{WHOLE}Content-Type: text/plain; name="é"\n')
    assert reply == "554 5.6.0 Content-Type: only ASCII can stand here"


def test_B25_dates_and_ids_are_made_anew() -> None:
    done = put(WHOLE.replace("+0100", "+0100 (Mitteleuropäische Zeit)").replace("<id@", "<ïd@"))
    assert done.values("Date") == ["Mon, 23 Nov 2026 09:55:06 +0100"]
    assert done.values("Message-ID") == ["<token@mx.here.example>"]


def test_B25_with_SMTPUTF8_a_header_may_be_utf8() -> None:
    header = f"{WHOLE}Subject: é\nCc: Jö <jö@bücher.example>\n"
    done = put(header, international=True)
    assert done.header == header
    assert done.changes == []
    assert done.made.is_eight_bit


# Signed


def signed(names: str) -> str:
    return f"DKIM-Signature: v=1; a=x; h={names};\n b=abc=\n"


def test_B27_a_signed_field_is_changed_only_where_it_must() -> None:
    header = (
        signed("To : from:\n date")
        + "Date: 23 Nov 26 09:55 CET\nFrom: joe@here.example\nTo: A. B <a@b.example>\nMessage-ID: <a@b>\n"
    )
    done = put(header)
    assert done.header == header
    assert done.changes == [
        "To left as it is, for it is signed",
        "Date left as it is, for it is signed",
    ]


def test_B27_what_must_be_changed_is_logged() -> None:
    done = put(signed("from:to:x") + WHOLE.replace("joe@here.example", "joe") + "Subject: é\nX : y\n")
    assert done.values("From") == ["joe@here.example"]
    assert done.changes == [
        "X rewritten from an obsolete form",
        "X changed although it is signed",
        "Subject encoded",
        "From given full domains",
        "From changed although it is signed",
    ]


def test_B27_a_signed_author_is_not_masqueraded() -> None:
    done = put(signed("from") + WHOLE.replace("joe@here", "u@host1.here"), rules=MASKED)
    assert done.values("From") == ["u@host1.here.example"]
    assert done.changes == ["From left as it is, for it is signed"]


# Everywhere the same


def test_B26_mailto_and_sendmail_can_use_it() -> None:
    """They must start quickly, so they import neither of these."""
    program = (
        "import sys, paperpath.submission.canonical.form, paperpath.submission.canonical.envelope,"
        " paperpath.submission.canonical.standard_input, paperpath.submission.masquerade_file;"
        "print(sorted({'asyncio', 'pydantic', 'socket', 'ssl', 'click'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
