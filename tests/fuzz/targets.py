"""The fuzz targets, and where their corpora lie; each is a module `fuzz_NAME` with its invariant on top."""

from pathlib import Path

FOLDER = Path(__file__).parent
TARGETS = tuple(sorted(file.stem.removeprefix("fuzz_") for file in FOLDER.glob("fuzz_*.py")))
MOST_KEPT = 200  # files for each target
MOST_KEPT_OCTETS = 2048


def corpus(name: str) -> Path:
    """Return the folder of the inputs that are kept for a target."""
    return FOLDER / "corpus" / name
