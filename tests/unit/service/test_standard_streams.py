"""Standard input and output, taken away from whatever else may use them."""

import os
import socket
import subprocess
import sys

import pytest

from paperpath.service.standard_streams import StandardStreams

TAKE = """
import os, sys
from paperpath.service.standard_streams import take_standard_streams
streams = take_standard_streams("test")
print("stray")
os.system("echo stray")
assert sys.stdin.read() == ""
os.write(streams.target, os.read(streams.source, 100))
sys.stderr.write(f"{streams.is_connection} {streams.find_peer()}")
"""


@pytest.mark.slow
def test_nothing_gets_among_what_the_client_reads() -> None:
    done = subprocess.run([sys.executable, "-c", TAKE], input=b"meant", capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (b"meant", b"False ('', 0)")


def test_L17_the_peer_is_that_of_a_tcp_connection_and_of_nothing_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
        client.connect(listener.getsockname())
        connection, _ = listener.accept()
        with connection:
            streams = StandardStreams(connection.fileno(), connection.fileno())
            assert streams.is_connection
            assert streams.find_peer() == client.getsockname()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            client.close()  # with a RST
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
            assert streams.find_peer() == ("", 0)
    one, other = socket.socketpair()
    with one, other:
        assert StandardStreams(one.fileno(), one.fileno()).find_peer() == ("", 0)
    source, target = os.pipe()
    assert StandardStreams(source, target).find_peer() == ("", 0)
    os.close(source)
    os.close(target)
