"""rbldnsd, another server of lists, with data of a test's own."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.installation import find_free_port
from tests.support.peers import find_peer


@contextmanager
def running_rbldnsd(data: Mapping[str, str], zones: Sequence[str]) -> Iterator[str]:
    """Run it on files and zones, `NAME:TYPE:FILE`, for the length of the block; give where it answers."""
    program, port = find_peer("rbldnsd"), find_free_port()
    user = ["-u", "rbldns"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # it becomes a user of its own
        for file, text in data.items():
            (folder / file).write_text(text)
        command = [program, "-n", *user, "-w", name, "-b", f"127.0.0.1/{port}", *zones]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout is not None
            said = ""
            for line in process.stdout:
                said += line
                if " started " in line:
                    break
            assert " started " in said, said
            yield f"127.0.0.1:{port}"
            process.terminate()
