"""The aliases file with the lists that it includes, on disk (L-4)."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from paperpath.routing.aliases_file import AliasesError, AliasesFile, load_aliases
from paperpath.service.durable import replace_text


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "aliases"


def targets_of(file: Path, key: str = "list") -> list[str]:
    (alias,) = [alias for alias in load_aliases(file) if alias.key == key]
    return [target.local if not target.domain else str(target) for target in alias.targets]


def trouble_of(file: Path) -> str:
    (alias,) = load_aliases(file)
    return alias.trouble


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640])
@pytest.mark.parametrize("target", ['"|/bin/x"', "/box", "/folder/"])
def test_L4_the_administrators_file_names_programs_and_files(file: Path, mode: int, target: str) -> None:
    file.write_text(f"list: {target}, joe\n")
    file.chmod(mode)
    assert targets_of(file) == [target.strip('"'), "joe"]


def give_away(file: Path) -> None:
    os.chown(file, 12345, -1)


def let_group_write(file: Path) -> None:
    file.chmod(0o664)


AWAY = pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(
            give_away, marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file away")
        ),
        let_group_write,
    ],
)


@AWAY
def test_L4_a_file_of_others_names_addresses_alone(file: Path, spoil: Callable[[Path], None]) -> None:
    file.write_text("list: joe, x@else.example\n")
    spoil(file)
    assert targets_of(file) == ["joe", "x@else.example"]
    file.write_text("list: joe\nprog: |/bin/x\nbox: /box\nagent: agent:box\n")
    with pytest.raises(AliasesError) as found:
        load_aliases(file)
    assert [problem.line for problem in found.value.problems] == [2, 3, 4]
    assert "nobody else may write" in str(found.value)


def test_a_list_is_included_with_the_lists_in_it(file: Path, tmp_path: Path) -> None:
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    inner.write_text("# nobody\n\n  ann@else.example, \"|/bin/x 'a b'\"   # both\nbob\n")
    outer.write_text(f"joe\r\n:include:{inner}\n")
    file.write_text(f'list: first, :include:{outer}\nagain: ":include:{inner}"\n')
    assert targets_of(file) == ["first", "joe", "ann@else.example", "|/bin/x 'a b'", "bob"]
    assert targets_of(file, "again") == ["ann@else.example", "|/bin/x 'a b'", "bob"]


@AWAY
def test_L4_a_list_of_others_names_addresses_alone(
    file: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    member = tmp_path / "member"
    member.write_text("joe\n")
    spoil(member)
    file.write_text(f"list: :include:{member}\n")
    assert targets_of(file) == ["joe"]
    for place in ("|/bin/x", '"|/bin/x -a"', "/box", "/folder/", "agent:box", '"agent:box"'):
        member.write_text(f"joe\n{place}\n")
        assert trouble_of(file) == f"{member}:2: expected addresses alone in what is not the administrator's"
        assert targets_of(file) == []


@AWAY
def test_L4_others_do_not_include_what_is_not_for_them(
    file: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    inner.write_text("|/bin/x\n")
    outer.write_text(f":include:{inner}\n")
    spoil(outer)
    file.write_text(f"ours: :include:{inner}\nlist: :include:{outer}\n")
    assert targets_of(file, "ours") == ["|/bin/x"]
    assert targets_of(file) == []
    spoil(file)
    assert targets_of(file, "ours") == []


def test_many_lists_of_many_end(file: Path, tmp_path: Path) -> None:
    member = tmp_path / "member"
    (tmp_path / "many").write_text("".join(f"u{number}\n" for number in range(10_000)))
    member.write_text(f":include:{tmp_path / 'many'}\n" * 5_000)
    file.write_text(f"list: :include:{member}\n")
    assert len(targets_of(file)) == 10_000
    (tmp_path / "many").write_text("".join(f"u{number}\n" for number in range(10_001)))
    assert trouble_of(file) == f"{tmp_path / 'many'}: expected at most 10000 targets"


def test_L4_a_link_lends_nobody_the_administrators_word(file: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/shells").write_text("/bin/sh\n")
    (tmp_path / "link").symlink_to(tmp_path / "real/shells")
    (tmp_path / "folder").symlink_to(tmp_path / "real")
    for member in (tmp_path / "link", tmp_path / "folder/shells"):
        file.write_text(f"list: :include:{member}\n")
        assert trouble_of(file).startswith(f"{member}:1: expected addresses alone")
    (tmp_path / "real/shells").write_text("joe\n")
    assert targets_of(file) == ["joe"]


def test_what_is_wrong_with_a_list_stops_its_own_alias_alone(file: Path, tmp_path: Path) -> None:
    member = tmp_path / "member"
    file.write_text(f"list: ann, :include:{member}\n")
    assert trouble_of(file) == f"{member}: cannot be read: No such file or directory"
    member.write_text("joe\njoe <joe@else.example>\n")
    assert trouble_of(file).startswith(f"{member}:2: expected a comma")
    member.write_text(f":include:{member}\n")
    assert "includes itself" in trouble_of(file)
    member.write_text("joe\n")
    member.chmod(0o666)
    assert "every user of this host may write it" in trouble_of(file)
    file.write_text(f"list: :include:{member}\nother: joe\n")
    assert targets_of(file, "other") == ["joe"]


def test_many_members_are_too_many(file: Path, tmp_path: Path) -> None:
    (tmp_path / "member").write_text("".join(f"u{number}\n" for number in range(10_000)))
    file.write_text(f"list: :include:{tmp_path / 'member'}\n")
    assert len(targets_of(file)) == 10_000
    file.write_text(f"list: one-more, :include:{tmp_path / 'member'}\n")
    assert trouble_of(file) == "expected at most 10000 targets, got 10001"


def test_a_changed_list_is_noticed_and_differs_from_the_one_before(file: Path, tmp_path: Path) -> None:
    member = tmp_path / "member"
    file.write_text(f"list: :include:{member}\n")
    watched = AliasesFile(file)
    before = watched.read()
    assert watched.read() is before
    for text in ("joe\n", "ann, bob\n", "|\n", "ann, bob\n"):
        replace_text(member, text)
        after = watched.read()
        assert after is not before
        assert after.digest != before.digest
        assert watched.read() is after
        before = after
    file.write_text("broken\n")
    assert watched.read() is before
    assert watched.take_trouble() is not None
    replace_text(member, "joe\n")
    assert watched.read() is before
    assert watched.take_trouble() is not None
    assert watched.read() is before
    assert watched.take_trouble() is None  # it is tried once for each change


def test_L4_what_the_message_says_to_do_is_noticed(file: Path, tmp_path: Path) -> None:
    """`chmod` changes neither the time of a file nor its size."""
    member = tmp_path / "member"
    file.write_text(f"list: :include:{member}\n")
    member.write_text("joe\n")
    member.chmod(0o666)
    watched = AliasesFile(file)
    (alias,) = watched.read()
    assert "run: chmod o-w" in alias.trouble
    member.chmod(0o644)
    (alias,) = watched.read()
    assert not alias.trouble
    replace_text(file, "other: joe\n")
    file.chmod(0o666)
    assert [alias.local for alias in watched.read()] == ["list"]
    assert "run: chmod o-w" in (watched.take_trouble() or "")
    file.chmod(0o644)
    assert [alias.local for alias in watched.read()] == ["other"]
