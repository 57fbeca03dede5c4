"""The lists as their files have them: replaced, broken, mended (L-11, P9)."""

import ipaddress
import os
from pathlib import Path

import pytest

from paperpath.config.loader import parse_configuration
from paperpath.config.tables import Configuration
from paperpath.dns.lists import IpAddress
from paperpath.dnslist.shelf import Shelf
from paperpath.service.errors import ServiceError
from tests.unit.config.example import RIGHT

ONE, OTHER = ipaddress.ip_address("192.0.2.7"), ipaddress.ip_address("192.0.2.8")
TABLE = '\n[dnslistd]\nlisten = ["127.0.0.1:5353"]\n'


def configure(folder: Path, *names: str) -> Configuration:
    zones = "".join(f'[[dnslistd.zone]]\nname = "{name}.example"\nfile = "{name}"\n' for name in names)
    return parse_configuration(RIGHT + TABLE + zones, folder / "paperpath.toml")


def replace(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    new.write_text(text)
    new.rename(file)


def listed(shelf: Shelf, address: IpAddress) -> list[str]:
    return [zone.settings.name for zone in shelf.zones.values() if zone.entries.find(address)]


def test_L11_a_replaced_file_is_published_and_only_that(tmp_path):
    (tmp_path / "a").write_text("192.0.2.7\n")
    (tmp_path / "b").write_text("# none yet\n")
    shelf = Shelf(configure(tmp_path, "a", "b"))
    assert listed(shelf, ONE) == ["a.example"]
    assert shelf.entries == {"a.example": 1, "b.example": 0}
    assert shelf.look() == []
    before = shelf.zones
    replace(tmp_path / "b", "192.0.2.7\n192.0.2.8\n")
    (change,) = shelf.look()
    assert change.name == "b.example"
    assert listed(shelf, ONE) == ["a.example", "b.example"]
    assert before is not shelf.zones  # so who answers just now sees the one or the other
    assert shelf.look() == []


def test_L11_the_serial_says_when_the_file_was_written(tmp_path):
    (tmp_path / "a").write_text("192.0.2.7\n")
    os.utime(tmp_path / "a", (1, 1_700_000_000))
    (zone,) = Shelf(configure(tmp_path, "a")).zones.values()
    assert (1_700_000_000).to_bytes(4, "big") in zone.start


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("192.0.2.8\n192.0.2.9/24\n", "a:2: expected an address that ends in zeros"),
        ("0.0.0.0/0\n", "a:1: expected a range without 127.0.0.1"),
        ("", "a is missing or empty"),
        (None, "a: cannot be read"),
    ],
)
def test_P9_L11_a_broken_file_leaves_the_old_list_and_is_told_once(tmp_path, text, trouble):
    file = tmp_path / "a"
    file.write_text("192.0.2.7\n")
    shelf = Shelf(configure(tmp_path, "a"))
    if text is None:
        file.unlink()
    else:
        replace(file, text)
    (change,) = shelf.look()
    assert trouble in change.trouble
    assert shelf.look() == []
    assert listed(shelf, ONE) == ["a.example"]
    assert shelf.broken == {"a.example": True}
    replace(file, "192.0.2.8\n")
    (change,) = shelf.look()
    assert change.zone is not None
    assert listed(shelf, OTHER) == ["a.example"]
    assert listed(shelf, ONE) == []
    assert shelf.broken == {"a.example": False}


def test_L4_a_file_that_everybody_may_write_is_refused(tmp_path):
    (tmp_path / "a").write_text("192.0.2.7\n")
    (tmp_path / "a").chmod(0o666)
    with pytest.raises(ServiceError, match="every user of this host may write it"):
        Shelf(configure(tmp_path, "a"))


def test_the_mistakes_of_all_files_are_told_at_the_start(tmp_path):
    (tmp_path / "a").write_text("x\n")
    (tmp_path / "b").write_bytes(b"\n\xff\n")
    with pytest.raises(ServiceError) as caught:
        Shelf(configure(tmp_path, "a", "b", "c"))
    first, second, third = str(caught.value).splitlines()
    assert "a:1: expected an address" in first
    assert "b:2: expected UTF-8" in second
    assert "c: cannot be read" in third
