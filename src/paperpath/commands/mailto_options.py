"""The options of mailto, on its command line and in PAPERPATH_MAILTO (requirements J-17, J-18, L-9).

Pure. getopt and not argparse: a subject may begin with a hyphen.
"""

import getopt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from paperpath.commands.exits import Exit, ExitError
from paperpath.commands.plain_process import read_word

VARIABLE = "PAPERPATH_MAILTO"
LETTERS = "s:c:b:r:f:a:A:C:S:Evhn" + "iN"
_LONG = ["help"]
HELP = """\
usage: mailto [-s SUBJECT] [-c CC] [-b BCC] [-r FROM] [-a FILE] [-C 'FIELD: VALUE'] [--] ADDRESS...

Send mail whose text is read from standard input, whether Paperpath runs or not.

  -s SUBJECT         what it is about
  -c ADDRESSES       who gets a copy; may be repeated, as may -b, -a and -C
  -b ADDRESSES       who gets a copy unseen by the others
  -r, -f SENDER      who it is from, and who hears of failures; <> is nobody
  -a, -A FILE        attach a file
  -C 'FIELD: VALUE'  another field of the header
  -E                 send nothing if the text is empty
  -S FILE            the configuration
  -v                 say what was done
  -i, -n, -N         ignored: other programs of this kind have them
  -h, --help         show this

PAPERPATH_MAILTO may hold options that stand before those of the command line.

Example: mailto -s 'Backup' -a report.txt -- joe@example.org < summary.txt
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller wants; texts are as they were typed.

    `sender` is empty for nobody, `None` if not given. `attachments` are the words as the system has them.
    """

    recipients: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    blind_copies: tuple[str, ...] = ()
    subject: str | None = None
    sender: str | None = None
    fields: tuple[str, ...] = ()
    attachments: tuple[str, ...] = ()
    file: str = ""
    skips_empty: bool = False
    is_verbose: bool = False
    wants_help: bool = False


def parse_options(words: Sequence[str], environment: Mapping[str, str]) -> Options:
    """Read the words behind the command's name. Raises: ExitError."""
    usual, others = _read(_split_usual(environment.get(VARIABLE, "")))
    if others:
        _refuse(f"{VARIABLE}: {others[0]!a} is no option")
    given, addresses = _read(words)
    pairs = [*usual, *given]

    def list_texts(*letters: str) -> tuple[str, ...]:
        return tuple(read_word(value) for letter, value in pairs if letter in letters)

    def find_text(*letters: str) -> str | None:
        return next(iter(reversed(list_texts(*letters))), None)

    letters = {letter for letter, _ in pairs}
    sender = find_text("-r", "-f")
    return Options(
        recipients=tuple(map(read_word, addresses)),
        copies=list_texts("-c"),
        blind_copies=list_texts("-b"),
        subject=find_text("-s"),
        sender="" if sender == "<>" else sender,
        fields=list_texts("-C"),
        attachments=tuple(value for letter, value in pairs if letter in ("-a", "-A")),
        file=find_text("-S") or "",
        skips_empty="-E" in letters,
        is_verbose="-v" in letters,
        wants_help=not letters.isdisjoint(("-h", "--help")),
    )


def _read(words: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the options, each with its value, and what is none; they may stand among each other up to `--`.

    Raises: ExitError.
    """
    try:
        return getopt.gnu_getopt(list(words), LETTERS, _LONG)
    except getopt.GetoptError as error:
        _refuse(str(error))


def _split_usual(text: str) -> list[str]:
    """Split what stands in the environment, as a shell would. Raises: ExitError."""
    if not text:
        return []
    import shlex  # for few only, and all would wait for it

    try:
        return shlex.split(text)
    except ValueError as error:
        _refuse(f"{VARIABLE}: {error}")


def _refuse(message: str) -> NoReturn:
    printable = message if message.isprintable() else ascii(message)
    raise ExitError(Exit.USAGE, f"{printable}; mailto --help says more")
