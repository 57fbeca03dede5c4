import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.config.lines import Location, find_line, scan_lines

CASES = {
    "a table is on its header's line": ("\n[a.b] # here\nc = 1\n", {("a", "b"): 2, ("a", "b", "c"): 3}),
    "a table named by an inner one first is on its own header's line": (
        "[a.b]\n[a]\nc = 1\n",
        {("a",): 2, ("a", "b"): 1, ("a", "c"): 3},
    ),
    "a table without a header is on the line that names it": ("\n[a.b]\n", {("a",): 2}),
    "tables in an array are counted": (
        "[[p.r]]\nd = 1\n\n[[p.r]]\nd = 2\n[p]\nm = 1\n[[q]]\n",
        {("p",): 6, ("p", "r"): 1, ("p", "r", 0): 1, ("p", "r", 1): 4, ("p", "r", 1, "d"): 5, ("q", 0): 8},
    ),
    "a table inside an array's last table belongs to that": (
        "[[r]]\n[r.x]\n[[r]]\n[r.x]\n[[r.y]]\n[[r.y]]\n",
        {("r", 0, "x"): 2, ("r", 1, "x"): 4, ("r", 1, "y", 1): 6},
    ),
    "dotted keys are on one line": (
        "\na . b.c = 1\na.d = 2\n",
        {("a",): 2, ("a", "b", "c"): 2, ("a", "d"): 3},
    ),
    "quoted keys are decoded": (
        '"a.b" = 1\n\'c\\\' = 2\n"\\u0064 \\"" = 3\n[ "e f" . \'g]\' ]\n"" = 5\n',
        {("a.b",): 1, ("c\\",): 2, ('d "',): 3, ("e f", "g]"): 4, ("e f", "g]", ""): 5},
    ),
    "elements of an array are on their own lines": (
        "a = [\n  1, # ]\n  [2,\n  3], ]\nb = 1\n",
        {("a",): 1, ("a", 0): 2, ("a", 1): 3, ("a", 1, 0): 3, ("a", 1, 1): 4, ("b",): 5},
    ),
    "keys of an inline table are known": (
        '\na = { b = 1, c.d = "}", e = [\n{f = 1}] }\ng = {}\n',
        {("a",): 2, ("a", "b"): 2, ("a", "c", "d"): 2, ("a", "e", 0, "f"): 3, ("g",): 4},
    ),
    "strings of several lines are passed over": (
        'a = """\nb = 1\n[c]\n\\""" ""\\\n"""""\n'
        "d = '''\ne = 1 \"\"\"\n'''''\n"
        'f = ""\ng = \'\'\nh = """"""\ni = 1\n',
        {("a",): 1, ("d",): 6, ("f",): 9, ("g",): 10, ("h",): 11, ("i",): 12},
    ),
    "a date and its time are one value": (
        "a = 1979-05-27 07:32:00 # b = 1\nc = [1979-05-27 07:32:00, 1979-05-27]\nd = 1\n",
        {("a",): 1, ("c",): 2, ("c", 0): 2, ("c", 1): 2, ("d",): 3},
    ),
    "lines may end in CR LF, the last in nothing": (
        "a = 1\r\n\r\n[b] # x\r\nc = 1",
        {("b",): 3, ("b", "c"): 4},
    ),
    "an empty document has no keys": ("# nothing", {}),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES.keys())
def test_the_line_of_every_key_is_found(text, expected):
    tomllib.loads(text)
    found = scan_lines(text)
    assert {location: found.get(location) for location in expected} == expected


def test_nothing_but_keys_is_found():
    assert scan_lines('a = """\nb = 1\n"""\n# c = 1\n[d]\ne = "f = 1"\n') == {
        ("a",): 1,
        ("d",): 5,
        ("d", "e"): 6,
    }


@pytest.mark.parametrize(
    ("location", "line"), [(("a", "b"), 7), (("a", "b", 0, "c"), 7), (("a", "x"), 3), (("x",), 1), ((), 1)]
)
def test_a_location_without_a_line_has_the_one_around_it(location, line):
    assert find_line({("a",): 3, ("a", "b"): 7}, location) == line


# Documents in which every integer is the number of the line it stands on: "@" becomes that number.

_OTHER_VALUES = [
    '"a # [b]"',
    "'c = 1 \"'",
    '"\\""',
    '""',
    '""""""',
    '"""\n[no.table]\nkey = 1 \\""" ""\n"""',
    "'''\n# no comment\n'''''",
    "1979-05-27 07:32:00",
    "true",
    "-0.5e3",
]
_GAPS = st.sampled_from(["", "\n", ' # a = [1, "\n', "\t# '''\n\n"])


@st.composite
def _arrays(draw, values):
    elements = draw(st.lists(values, max_size=3))
    return "[" + "".join(f"{draw(_GAPS)}{element}{draw(_GAPS)}," for element in elements) + draw(_GAPS) + "]"


@st.composite
def _pairs(draw, values, least=0):
    keys = ["k{}", '"\\u006b. #{}"', "'k]{}'", 'd{} . "e.".f']
    chosen = draw(st.lists(st.tuples(st.sampled_from(keys), values), min_size=least, max_size=3))
    return [f"{key.format(number)} = {value}" for number, (key, value) in enumerate(chosen)]


_VALUES = st.recursive(
    st.just("@") | st.sampled_from(_OTHER_VALUES),
    lambda values: _arrays(values) | _pairs(values).map(lambda pairs: "{ " + ", ".join(pairs) + " }"),
    max_leaves=8,
)


@st.composite
def _documents(draw):
    lines = draw(_pairs(_VALUES))
    headers = ["[t{}]", "[ t{} . 'sub x' ]", "[[many]]", '[[ many . "deep" ]]', "[many.in{}]", "[[t{}.deep]]"]
    for number, header in enumerate(draw(st.lists(st.sampled_from(headers), max_size=6))):
        if "many" in header and "[[many]]" not in lines:
            header = "[[many]]"
        lines += [header.format(number), *draw(_pairs(_VALUES))]
    text = "".join(f"{line}{draw(_GAPS)}\n" for line in lines)
    numbered = [line.replace("@", str(number)) for number, line in enumerate(text.split("\n"), 1)]
    return draw(st.sampled_from(["\n", "\r\n"])).join(numbered)


def _walk(value: object, location: Location = ()) -> Iterator[tuple[Location, object]]:
    yield location, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, element in inner:
        yield from _walk(element, (*location, key))


@given(text=_documents())
def test_the_scan_finds_what_the_parser_finds_on_the_line_where_it_is(text):
    found = scan_lines(text)
    values = dict(_walk(tomllib.loads(text)))
    assert found.keys() | {()} == values.keys()
    numbers = {at: value for at, value in values.items() if isinstance(value, int) and value is not True}
    assert {at: found[at] for at in numbers} == numbers
