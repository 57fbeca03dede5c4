"""dnslistd in an installation of a test, with lists of its own, and questions to it."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from paperpath.config.endpoint import parse_endpoint
from paperpath.dns.answer import Answer
from paperpath.dns.records import RecordType, Value
from paperpath.dns.resolver import Resolver
from tests.support.installation import find_free_port


def make_table(listen: Sequence[str], zones: Iterable[str], more_zone: str = "") -> str:
    """Write the table of dnslistd; each zone's file has its name."""
    places = ", ".join(f'"{place}"' for place in listen)
    entries = [f'[[dnslistd.zone]]\nname = "{zone}"\nfile = "{zone}"\n{more_zone}\n' for zone in zones]
    return f"\n[dnslistd]\nlisten = [{places}]\n{''.join(entries)}"


def choose_places() -> list[str]:
    """Return where to listen: one port, by both families."""
    port = find_free_port()
    return [f"127.0.0.1:{port}", f"[::1]:{port}"]


def write_lists(folder: Path, lists: Mapping[str, str]) -> None:
    """Put each list in the place of the one that was there, if any, as people do."""
    for zone, text in lists.items():
        new = folder / f"{zone}.new"
        new.write_text(text)
        new.rename(folder / zone)


def ask_all(server: str, names: Sequence[str], kind: RecordType[Value]) -> list[Answer[Value]]:
    """Ask a server about names, as our programs would."""

    async def ask() -> list[Answer[Value]]:
        resolver = Resolver(lambda: [parse_endpoint(server)])
        try:
            return await asyncio.gather(*(resolver.resolve(name, kind) for name in names))
        finally:
            await resolver.close()

    return asyncio.run(ask())
