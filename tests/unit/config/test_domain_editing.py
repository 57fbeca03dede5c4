"""Domains put into a configuration and taken out again: all else stays as it was, octet for octet."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.config import domain_editing
from paperpath.config.domain_editing import add_domain, remove_domain
from paperpath.config.edited_text import Edited, EditError

OFFICE = '[post_office]\npostmaster = "me@a.example"\n'
ROUTE = '\n[[post_office.route]]\ndomain = "{}"\nvia = "local"\n'

# What stands in the file, and what stands there when new.example was added.
ADDED = {
    "one line": ('domains = ["a.example"] # ours\n', 'domains = ["a.example", "new.example"] # ours\n'),
    "one line with a comma": ('domains = ["a.example",]\n', 'domains = ["a.example", "new.example",]\n'),
    "none yet": ("domains = []\n", 'domains = ["new.example"]\n'),
    "none, with a comment": ("domains = [ # none\n]\n", 'domains = ["new.example" # none\n]\n'),
    "lines of their own": (
        'domains = [\n  "a.example", # the first ]\n  "b.example" # the second\n]\n',
        'domains = [\n  "a.example", # the first ]\n  "b.example", # the second\n  "new.example"\n]\n',
    ),
    "lines of their own with commas": (
        'domains = [\n\t"a.example",\n\t"b.example",  # x\n\t# end\n]\n',
        'domains = [\n\t"a.example",\n\t"b.example",  # x\n\t"new.example",\n\t# end\n]\n',
    ),
    "lines, and a bracket behind the last": (
        'domains = ["a.example",\n           "b.example"]\n',
        'domains = ["a.example",\n           "b.example",\n           "new.example"]\n',
    ),
    "several on a line": (
        'domains = [\n  "a.example", "b.example",\n]\n',
        'domains = [\n  "a.example", "b.example", "new.example",\n]\n',
    ),
    "no key": ("", 'domains = ["new.example"]\n'),
}


@pytest.mark.parametrize(("before", "after"), ADDED.values(), ids=ADDED.keys())
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_domain_looks_like_those_beside_it(before: str, after: str, newline: str) -> None:
    rest = ROUTE.format("a.example")
    text = f"[relay]\nsize = 5 # five\n{before}\n# post\n{OFFICE}{rest}\n# end\n".replace("\n", newline)
    wanted = (
        f"[relay]\nsize = 5 # five\n{after}\n# post\n{OFFICE}{rest}{ROUTE.format('new.example')}\n# end\n"
    )
    edited = add_domain(text, "new.example", "local")
    assert edited.text == wanted.replace("\n", newline)
    assert edited.done == (
        "relay.domains: added new.example",
        'post_office.route: added new.example, via "local"',
    )


@pytest.mark.parametrize(("before", "after"), ADDED.values(), ids=ADDED.keys())
def test_what_was_added_is_removed_again(before: str, after: str) -> None:
    text = f"[relay]\n{before}{OFFICE}{ROUTE.format('a.example')}"
    added = add_domain(text, "new.example", "mx").text
    assert tomllib.loads(remove_domain(added, "NEW.example.").text) == {
        **tomllib.loads(text),
        "relay": {"domains": tomllib.loads(f"[relay]\n{before}")["relay"].get("domains", [])},
    }


def test_what_stands_there_already_is_left_as_it_is() -> None:
    text = f'[relay]\ndomains = ["BÜCHER.example"]\n{OFFICE}{ROUTE.format("bücher.example")}'
    assert add_domain(text, "xn--bcher-kva.example", "local") == Edited(text, ())
    with pytest.raises(EditError, match="has a route already, via 'local'"):
        add_domain(text, "bücher.example", "mx")


def test_routes_in_an_array_get_one_more() -> None:
    text = '[relay]\n[post_office]\nroute = [\n  { domain = "*", via = "mx" },\n]\n'
    assert add_domain(text, ".new.example", "local").text == (
        '[relay]\ndomains = [".new.example"]\n[post_office]\nroute = [\n  { domain = "*", via = "mx" },\n'
        '  { domain = ".new.example", via = "local" },\n]\n'
    )


def test_a_first_route_comes_behind_the_table() -> None:
    text = f"[relay]\n{OFFICE}# x\n[tls]"
    assert add_domain(text, "new.example", "local").text == (
        f'[relay]\ndomains = ["new.example"]\n{OFFICE}{ROUTE.format("new.example")}# x\n[tls]'
    )


REMOVED = {
    "in the middle": ('["a.example", "old.example", "b.example"]', '["a.example", "b.example"]'),
    "at the end": ('["a.example", "old.example"]', '["a.example"]'),
    "at the end, with a comma": ('["a.example", "old.example",]', '["a.example", ]'),
    "alone": ('["old.example"]', "[]"),
    "twice": ('["old.example", "a.example", "OLD.example."]', '["a.example"]'),
    "with its line": (
        '[\n  "a.example", # a\n  "old.example", # old\n  "b.example", # b\n]',
        '[\n  "a.example", # a\n  "b.example", # b\n]',
    ),
    "with the last line": ('[\n  "a.example",\n  "old.example"\n]', '[\n  "a.example",\n]'),
    "first of a line": ('[\n  "old.example", "a.example"\n]', '[\n  "a.example"\n]'),
}


@pytest.mark.parametrize(("before", "after"), REMOVED.values(), ids=REMOVED.keys())
def test_a_domain_is_taken_out_with_what_is_its_own(before: str, after: str) -> None:
    old, other = ROUTE.format("old.example"), ROUTE.format("a.example")
    text = f"[relay]\ndomains = {before} # x\n{OFFICE}{other}\n# why\n{old.lstrip()}{other}\n[tls]\n"
    edited = remove_domain(text.replace(other + "\n[tls]", "\n[tls]"), "old.example")
    assert edited.text == f"[relay]\ndomains = {after} # x\n{OFFICE}{other}\n# why\n[tls]\n"
    assert edited.done[-1] == "post_office.route: removed old.example"


def test_what_names_the_domain_still_is_told() -> None:
    text = (
        f"[relay]\n{OFFICE}{ROUTE.format('a.example')}"
        '[canonical]\ndomain = "A.example"\nhidden = ["x.a.example", "a.example"]\n'
    )
    edited = remove_domain(text, "a.example")
    assert edited.done == ("canonical.hidden: removed a.example", "post_office.route: removed a.example")
    assert edited.left == ('post_office.postmaster = "me@a.example"', 'canonical.domain = "A.example"')
    assert 'hidden = ["x.a.example"]' in edited.text
    assert remove_domain(text, "c.example") == Edited(text, ())


@pytest.mark.parametrize(
    "text",
    [
        'relay = {}\n[post_office]\npostmaster = "a@b.example"\n',
        'relay.size = 5\n[post_office]\npostmaster = "a@b.example"\n',
        "post_office = {}\n[relay]\n",
    ],
)
def test_a_layout_that_is_not_known_is_refused(text: str) -> None:
    with pytest.raises(EditError, match="by hand"):
        add_domain(text, "new.example", "local")


def test_an_edit_that_means_anything_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f'[relay]\ndomains = ["a.example"]\n{OFFICE}'
    monkeypatch.setattr(domain_editing, "add_element", lambda text, array, element: text.replace("me@", "x@"))
    with pytest.raises(EditError, match="by hand"):
        add_domain(text, "new.example", "local")


@pytest.mark.parametrize("name", ["", "*", "a b", "192.0.2.1", "x..y"])
def test_what_is_no_domain_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        add_domain("[relay]\n", name, "local")
    with pytest.raises(ValueError, match="expected"):
        remove_domain("[relay]\n", name)


DOMAINS = st.lists(st.sampled_from([f"{letter}.example" for letter in "abcdef"]), unique=True, max_size=6)
BLANKS = st.sampled_from(["", " ", "\n", "\n  ", " # ] ,\n\t", "\r\n"])


@given(st.data())
def test_whatever_the_layout_only_the_domain_changes(data: st.DataObject) -> None:
    names = data.draw(DOMAINS)
    parts = [data.draw(BLANKS) + f'"{name}"' + data.draw(BLANKS) for name in names]
    text = f"[relay]\ndomains = [{','.join(parts)}{data.draw(BLANKS)}] # x\n{OFFICE}"
    text += "".join(map(ROUTE.format, names))
    added = add_domain(text, "new.example", "local")
    assert tomllib.loads(added.text)["relay"]["domains"] == [*names, "new.example"]
    assert tomllib.loads(remove_domain(added.text, "new.example").text) == tomllib.loads(text)
    if names:
        gone = data.draw(st.sampled_from(names))
        left = tomllib.loads(remove_domain(added.text, gone).text)
        names.remove(gone)
        assert left["relay"]["domains"] == [*names, "new.example"]
        assert [route["domain"] for route in left["post_office"]["route"]] == [*names, "new.example"]
