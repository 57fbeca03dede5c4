"""The options of sendmail as programs write them: J-5 to J-8, J-10, J-11."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.commands.exits import ExitError
from paperpath.commands.sendmail_options import Mode, Options, parse_options


def parse(line: str) -> Options:
    return parse_options(line.split(" ") if line else [])


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("-ti", Options(reads_recipients=True, ignores_dots=True)),
        ("-t -i", Options(reads_recipients=True, ignores_dots=True)),
        ("-oi", Options(ignores_dots=True)),
        ("-o i", Options(ignores_dots=True)),
        ("-fjoe@x u", Options(sender="joe@x", recipients=("u",))),
        ("-f joe@x u", Options(sender="joe@x", recipients=("u",))),
        ("-tfjoe@x", Options(reads_recipients=True, sender="joe@x")),
        ("-tif joe@x", Options(reads_recipients=True, ignores_dots=True, sender="joe@x")),
        ("-Fname u", Options(full_name="name", recipients=("u",))),
        ("-oem u", Options(recipients=("u",))),
        (
            "-ti -f a@b -- -odd@x",
            Options(Mode.DELIVER, ("-odd@x",), reads_recipients=True, ignores_dots=True, sender="a@b"),
        ),
        ("u -f x", Options(recipients=("u", "-f", "x"))),
        ("-- -- u", Options(recipients=("--", "u"))),
        ("- u", Options(recipients=("-", "u"))),
        ("-f -t", Options(sender="-t")),
    ],
)
def test_J5_options_may_be_clustered_or_attached_and_end_at_the_first_operand(
    line: str, wanted: Options
) -> None:
    assert parse(line) == wanted


@pytest.mark.parametrize("words", [["-f", ""], ["-f", "<>"], ["-r", ""], ["-r<>"]])
def test_J6_an_empty_sender_is_nobody(words: list[str]) -> None:
    assert parse_options(words).sender == ""


def test_J6_a_sender_and_a_name_stay_as_they_were_typed() -> None:
    options = parse_options(["-r", "joe@x.example", "-F", 'Ünï "X"'])
    assert (options.sender, options.full_name) == ("joe@x.example", 'Ünï "X"')


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        (["-N", "never"], "notify", "NEVER"),
        (["-Nfailure,delay,SUCCESS"], "notify", "FAILURE,DELAY,SUCCESS"),
        (["-R", "full"], "ret", "FULL"),
        (["-RHdrs"], "ret", "HDRS"),
        (["-V", "A+b=c d"], "envid", "A+2Bb+3Dc+20d"),
        (["-B", "7bit"], "body", "7BIT"),
        (["-B8BITMIME"], "body", "8BITMIME"),
        (["-U"], "international", True),
    ],
)
def test_J7_parameters_are_read_in_any_case_and_written_as_smtp_has_them(
    words: list[str], field: str, value: object
) -> None:
    assert getattr(parse_options(words), field) == value


@pytest.mark.parametrize(
    "words",
    [
        ["-N", "sometimes"],
        ["-N", "never,failure"],
        ["-N", "failure,failure"],
        ["-N", ""],
        ["-R", "some"],
        ["-B", "9BIT"],
        ["-f"],
        ["-tf"],
        ["-Z"],
        ["-tZ"],
        ["-bz"],
        ["-b"],
        ["-\x1b[1m"],
        ["-bq"],
        *([f"-b{letter}"] for letter in "thHPaC"),
    ],
)
def test_J7_J10_what_is_no_option_or_value_is_a_mistake_of_the_caller(words: list[str]) -> None:
    with pytest.raises(ExitError) as caught:
        parse_options(words)
    assert caught.value.exit_code == 64
    assert "usage: sendmail" in str(caught.value)
    assert str(caught.value).replace("\n", "").isprintable()


@pytest.mark.parametrize("word", ["-bd", "-bD", "-bl"])
def test_X13_sendmail_is_no_daemon(word: str) -> None:
    with pytest.raises(ExitError, match="smtprd and smtpsd") as caught:
        parse_options([word, "-q30m"])
    assert caught.value.exit_code == 64


def test_J10_addresses_are_not_verified() -> None:
    with pytest.raises(ExitError, match="verifies no addresses") as caught:
        parse("-bv joe@x.example")
    assert caught.value.exit_code == 69


@pytest.mark.parametrize(
    ("line", "mode"),
    [
        ("-bm", Mode.DELIVER),
        ("-bs", Mode.DIALOGUE),
        ("-bp", Mode.LIST_QUEUE),
        ("-bi", Mode.READ_ALIASES),
        ("-I", Mode.READ_ALIASES),
        *((f"-q{rest}", Mode.FLUSH) for rest in ("", "30m", "f", "Iid", "Rdom", "Saddr")),
    ],
)
def test_J10_each_mode_has_its_letter(line: str, mode: Mode) -> None:
    assert parse(line) == Options(mode)


IGNORED = (
    *("-Am", "-Ac", "-C file", "-Cfile", "-d", "-d0.1", "-G", "-h 5", "-L tag", "-m", "-n", "-o7", "-o8"),
    *(
        "-odb",
        "-odf",
        "-odi",
        "-odq",
        "-oA/etc/aliases",
        "-ox5",
        "-om",
        "-O Timeout=5",
        "-p SMTP",
        "-x",
        "-v",
    ),
    *("-X /tmp/log", "-em", "-ep", "-ew", "-e m", "-oee", "-oem", "-oep"),
)


@pytest.mark.parametrize("line", IGNORED)
def test_J8_options_of_other_sendmails_are_taken_and_mean_nothing(line: str) -> None:
    assert parse(f"{line} u") == Options(recipients=("u",))


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (
            "-FCronDaemon -i -odi -oem -oi -t -f root",
            Options(full_name="CronDaemon", ignores_dots=True, reads_recipients=True, sender="root"),
        ),
        ("-i -FCronDaemon -B8BITMIME -oem root", Options(full_name="CronDaemon", ignores_dots=True,
         body="8BITMIME", recipients=("root",))),
        ("-t -i", Options(reads_recipients=True, ignores_dots=True)),
        ("-i joe@x.example", Options(ignores_dots=True, recipients=("joe@x.example",))),
        ("-oi -- u", Options(ignores_dots=True, recipients=("u",))),
        ("-t", Options(reads_recipients=True)),
    ],
)  # fmt: skip
def test_J8_callers_that_there_are(line: str, wanted: Options) -> None:
    """Cron's, Debian's cron's, PHP's, git's, mailx's, logwatch's."""
    assert parse(line) == wanted


@pytest.mark.parametrize("line", ["-oeq", "-eq", "-e q"])
def test_J11_failures_may_be_told_by_the_code_alone(line: str) -> None:
    assert parse(line).is_quiet
    assert not parse(f"{line} -oem").is_quiet


@pytest.mark.parametrize(
    ("setting", "ignores"),
    [("IgnoreDots=true", True), ("ignoredots=Y", True), ("IgnoreDots", True), ("IgnoreDots=false", False)],
)
def test_J2_dots_by_the_long_option(setting: str, ignores: bool) -> None:
    assert parse_options(["-O", setting]).ignores_dots is ignores


@pytest.mark.parametrize("option", ["-V", "-F"])
@pytest.mark.parametrize("value", ["a\r\nRCPT TO:<x@y>", "a\nb", "\r"])
def test_J14_no_line_end_gets_into_an_option(option: str, value: str) -> None:
    with pytest.raises(ExitError) as caught:
        parse_options([option, value])
    assert caught.value.exit_code == 65


@pytest.mark.parametrize("value", ["", "ü", "a\x7f", "x" * 101])
def test_J7_an_envelope_id_is_printable_and_short(value: str) -> None:
    with pytest.raises(ExitError) as caught:
        parse_options(["-V", value])
    assert caught.value.exit_code == 65


def write(pieces: list[tuple[str, str]], cuts: list[bool]) -> list[str]:
    """Write options in one of the ways there are: clustered, attached, apart."""
    words: list[str] = []
    is_open = False  # the last word is a cluster that takes another letter
    for (letter, value), cut in zip(pieces, cuts, strict=True):
        if is_open and cut:
            words[-1] += letter
        else:
            words.append(f"-{letter}")
        is_open = not value
        if value and cut:
            words[-1] += value
        elif value:
            words.append(value)
    return words


MEANT = st.sampled_from(
    [("t", ""), ("i", ""), ("f", "joe@x"), ("F", "-t"), ("N", "never"), ("R", "full"), ("V", "-i"),
     ("B", "7BIT"), ("U", ""), ("o", "em"), ("o", "i"), ("m", ""), ("h", "-1"), ("L", "t"), ("X", "f")]
)  # fmt: skip


@given(st.lists(st.tuples(MEANT, st.booleans(), st.booleans())), st.lists(st.sampled_from(["u", "-t", "--"])))
def test_J5_however_options_are_written_they_mean_the_same(
    options: list[tuple[tuple[str, str], bool, bool]], operands: list[str]
) -> None:
    pieces = [piece for piece, _, _ in options]
    one = parse_options([*write(pieces, [cut for _, cut, _ in options]), "--", *operands])
    other = parse_options([*write(pieces, [cut for _, _, cut in options]), "--", *operands])
    assert one == other
    assert one.recipients == tuple(operands)
    assert one.reads_recipients == (("t", "") in pieces)
    assert one.ignores_dots == (("i", "") in pieces or ("o", "i") in pieces)


@given(st.lists(st.text(max_size=6)))
def test_J8_whatever_is_typed_is_understood_or_refused(words: list[str]) -> None:
    with suppress(ExitError):
        assert set(parse_options(words).recipients) <= set(words)
