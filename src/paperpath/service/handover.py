"""What the supervisor hands to a program when it starts it: name, lifeline, configuration, listening sockets.

One environment variable of our own, and not systemd's LISTEN_FDS: that wants LISTEN_PID, which is known only
after the fork, where Python can do nothing safely. Whoever is started by hand, or by systemd, has none of it.

The configuration comes as text: a program started anew goes on with what the others run with, whatever
stands in the file by then, and needs no right to read it.
"""

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from paperpath.config.changes import merge
from paperpath.config.loader import Document, parse_configuration, parse_document

VARIABLE = "PAPERPATH_HANDOVER"


@dataclass(frozen=True, slots=True)
class Handover:
    """`name` is that in the log. The rest are descriptors.

    The lifeline is the reading end of a pipe whose other end the supervisor holds: when it closes, the
    supervisor is gone.
    """

    name: str
    lifeline: int
    texts: int
    listeners: tuple[int, ...] = ()


@dataclass(slots=True)
class Texts:
    """The configuration as text: that of the start, and the latest, of which only some keys count."""

    starting: str
    latest: Document

    @property
    def current(self) -> str:
        """The latest text."""
        return self.latest.text

    def open(self) -> int:
        """Return a descriptor to read them from; the caller closes."""
        descriptor = os.memfd_create("paperpath-configuration", os.MFD_CLOEXEC)
        with os.fdopen(descriptor, "w", encoding="utf-8", closefd=False) as writing:
            json.dump([self.starting, self.current], writing)
        return descriptor


def read_texts(descriptor: int, file: Path) -> Document:
    """Read what `Texts.open` gave, and close it; `file` is where the texts are from."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(descriptor, encoding="utf-8") as reading:
        starting, current = json.load(reading)
    document = parse_document(current, file)
    configuration, _ = merge(parse_configuration(starting, file), document.configuration)
    return replace(document, configuration=configuration)


def format_handover(handover: Handover) -> str:
    """Write the value of the environment variable."""
    return json.dumps(asdict(handover))


def take_handover() -> Handover | None:
    """Take what the supervisor left for us out of the environment, so that it goes no further."""
    text = os.environ.pop(VARIABLE, None)
    if text is None:
        return None
    fields = json.loads(text)
    return Handover(fields["name"], fields["lifeline"], fields["texts"], tuple(fields["listeners"]))
