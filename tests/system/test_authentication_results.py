"""A signed message through all programs: verified on its way to a mailbox, relayed as it came (I-21)."""

from pathlib import Path

import pytest

from paperpath.testing.nameserver import Nameserver
from paperpath.testing.sink import sink_in_thread
from paperpath.testing.sink_options import SinkOptions
from tests.support.authentication_results import read_results
from tests.support.dkim_signer import MESSAGE, ed25519_key, sign
from tests.support.installation import NO_DNS, content_of_relayed, wait_until
from tests.support.routed import RoutedInstallation

pytestmark = pytest.mark.slow

FORGED = b"Authentication-Results: (x) MX.here.example 1;\r\n dkim=pass header.d=bank.example\r\n"
FOREIGN = b"Authentication-Results: other.example; dkim=pass header.d=bank.example\r\n"


def test_I21_a_forged_field_goes_at_local_delivery_and_stays_on_the_relay(tmp_path: Path) -> None:
    key = ed25519_key()
    octets = FORGED + FOREIGN + sign(MESSAGE, key) + MESSAGE
    zone = f'{key.name} TXT "{key.record.decode()}"'
    with Nameserver(zone) as dns, sink_in_thread(SinkOptions()) as sink:
        ours = RoutedInstallation(tmp_path, {"sink": sink.port})
        text = ours.file.read_text().replace(NO_DNS, f'\n[dns]\nservers = ["{dns.endpoint}"]\n')
        ours.file.write_text(text + "\n[local]\nauthentication_results = true\n")
        with ours.up():
            ours.send("joe@here.example", "ann@sink.wild.example", content=octets)
            (file,) = ours.wait_for_deliveries(1, "joe@here.example")
            wait_until(lambda: sink.taken, "the message at the sink")
    assert content_of_relayed(sink.taken[0].content) == octets
    found = file.read_bytes().replace(b"\n", b"\r\n")
    assert found.endswith(octets.removeprefix(FORGED))
    assert b"bank.example" not in found.removesuffix(octets.removeprefix(FORGED))
    fields = found.partition(b"\r\nReceived: ")[0].split(b"\r\n", 2)
    assert [field.partition(b":")[0] for field in fields] == [
        b"Return-Path",
        b"Delivered-To",
        b"Authentication-Results",
    ]
    name, (result,) = read_results(fields[2] + b"\r\n")
    assert (name, result.verdict) == ("mx.here.example", "pass")
