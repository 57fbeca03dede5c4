"""Write the man pages below a folder: `python -m manual FOLDER`; then `man -M FOLDER mailq` shows one."""

import sys
from pathlib import Path

from manual.roff import render
from manual.sources import list_pages


def main(folder: Path) -> None:
    """Write them."""
    for page in list_pages():
        file = folder / f"man{page.volume}" / f"{page.name}.{page.volume}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(render(page), encoding="utf-8")


main(Path(sys.argv[1]))
