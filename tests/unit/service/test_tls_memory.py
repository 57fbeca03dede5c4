"""What an idle connection costs, OpenSSL's part included (P6): measured in a process of its own."""

import subprocess
import sys

import pytest

from tests.support.tls import VERSIONS

COUNT = 300
BAR_KIB = 64
MEASURE = """
import gc, sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from datetime import UTC, datetime
from paperpath.service.tls.contexts import ContextSet
from paperpath.service.tls.layer import TlsLayer
from paperpath.service.tls.self_signed import provide_self_signed
from tests.support.tls import VERSIONS, TlsClient, make_client_context

def resident_kib():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4

def idle_layer():
    # one that has greeted, taken a message, and waits for the next
    layer, client = TlsLayer(contexts.choose), TlsClient(context, "mail.example.org")
    client.shake_hands(layer)
    layer.receive(client.encrypt(b"EHLO client.example\\r\\n"))
    layer.send(b"250 mail.example.org\\r\\n" * 10)
    layer.octets_to_send()
    layer.receive(client.encrypt(b"x" * 100_000))
    return layer

with TemporaryDirectory() as folder:
    contexts = ContextSet([provide_self_signed(Path(folder), "mail.example.org", datetime.now(UTC))])
context = make_client_context(VERSIONS[int(sys.argv[2])])
warm_up = [idle_layer() for _ in range(20)]
before = resident_kib()
layers = [idle_layer() for _ in range(int(sys.argv[1]))]
gc.collect()
print((resident_kib() - before) / len(layers))
"""


@pytest.mark.slow
@pytest.mark.parametrize("index", range(len(VERSIONS)))
def test_P6_an_idle_connection_needs_less_than_64_KiB(index: int) -> None:
    command = [sys.executable, "-c", MEASURE, str(COUNT), str(index)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert 1 < float(done.stdout) < BAR_KIB
