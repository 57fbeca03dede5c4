"""Lets atheris look for inputs that break an invariant: `python -m tests.fuzz.run [options] [TARGET ...]`.

Called by `make fuzz`. Each target runs in a process of its own, and begins with the kept corpus and what
earlier runs found, which is under `.fuzz/`. An input that breaks an invariant stays in the kept corpus, where
`make test` sees it. `--keep` runs nothing, and takes what the earlier runs found of interest into the corpus.
"""

import argparse
import importlib
import re
import subprocess
import sys
from pathlib import Path

import atheris

from tests.fuzz import pace
from tests.fuzz.targets import FOLDER, MOST_KEPT, MOST_KEPT_OCTETS, TARGETS, corpus

_ROOT = FOLDER.parents[1]
_INSTRUMENTED = ("paperpath", "idna")
_TELLING = re.compile(r"\t(INITED|DONE) |number_of_executed|slowest_unit")
_MOST_WORD_OCTETS = 60  # a line of libFuzzer's dictionary takes no more


def main() -> int:
    """Run the targets that are named, or all; return 1 if one of them found something."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--keep", action="store_true", help="take what was found of interest into the corpus")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = options.targets or TARGETS
    if unknown := set(names) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    if options.inside:
        _run_inside(names[0], options.seconds)
    if options.keep:
        return max(map(_keep, names))
    failed = [name for name in names if _run(name, options.seconds) != 0]
    if failed:
        print(f"found something: {', '.join(failed)}; the inputs are in {FOLDER / 'corpus'}")
    return 1 if failed else 0


def _run(name: str, seconds: int) -> int:
    print(f"== {name}, {seconds} s", flush=True)
    command = [sys.executable, "-m", "tests.fuzz.run", "--inside", "--seconds", str(seconds), name]
    log = _found(name).parent / f"{name}.log"
    with log.open("wb") as file:
        done = subprocess.run(command, cwd=_ROOT, check=False, stdout=file, stderr=subprocess.STDOUT)
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    print("\n".join(line for line in lines if done.returncode or _TELLING.search(line)), flush=True)
    return done.returncode


def _run_inside(name: str, seconds: int) -> None:
    """Become libFuzzer; it ends the process."""
    with atheris.instrument_imports(include=_INSTRUMENTED):
        target = importlib.import_module(f"tests.fuzz.fuzz_{name}")
    pace.measures = True
    found = _found(name)
    words = found.parent / f"{name}.dict"
    words.write_text("".join(map(_format_word, target.WORDS)), encoding="ascii")
    arguments = [
        sys.argv[0],
        str(found),
        str(corpus(name)),
        f"-max_total_time={seconds}",
        f"-max_len={target.MOST_OCTETS}",
        f"-dict={words}",
        f"-artifact_prefix={corpus(name)}/",
        "-timeout=20",
        "-print_final_stats=1",
    ]
    atheris.Setup(arguments, target.check)
    atheris.Fuzz()


def _keep(name: str) -> int:
    """Add to the kept corpus what covers more than it does, the smallest first, as far as there is room."""
    chosen = _found(name).parent / f"{name}.chosen"
    chosen.mkdir(exist_ok=True)
    for old in chosen.iterdir():
        old.unlink()
    script = (
        "import atheris, sys\n"
        f"with atheris.instrument_imports(include={list(_INSTRUMENTED)!r}):\n"
        f"    import tests.fuzz.fuzz_{name} as target\n"
        "atheris.Setup(sys.argv, target.check)\natheris.Fuzz()\n"
    )
    arguments = [
        "-merge=1",
        f"-max_len={MOST_KEPT_OCTETS}",
        str(chosen),
        str(corpus(name)),
        str(_found(name)),
    ]
    done = subprocess.run([sys.executable, "-c", script, *arguments], cwd=_ROOT, check=False)
    kept = {file.read_bytes() for file in corpus(name).iterdir()}
    for file in sorted(chosen.iterdir(), key=lambda file: file.stat().st_size):
        octets = file.read_bytes()
        if octets not in kept and len(kept) < MOST_KEPT:
            kept.add(octets)
            (corpus(name) / file.name[:16]).write_bytes(octets)
    return done.returncode


def _found(name: str) -> Path:
    folder = _ROOT / ".fuzz" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _format_word(word: bytes) -> str:
    if not 0 < len(word) <= _MOST_WORD_OCTETS:
        return ""
    shown = re.sub(rb"[^ !#-\[\]-~]", lambda match: b"\\x%02x" % match[0][0], word)
    return f'"{shown.decode("ascii")}"\n'


if __name__ == "__main__":
    sys.exit(main())
