"""The policies that were fetched, on the disk: what is known survives, and all relay clients know the same.

Used by policies.py. A file for each domain, which a digest names: no domain is a path. Files are whole or
absent, and none is believed that somebody damaged; at worst a policy is fetched once more. There are bounds,
for strangers choose which domains we ask about: whatever was fetched least recently goes.
"""

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from paperpath.remote.mta_sts.policy import PolicyError, StsPolicy, format_policy, parse_policy
from paperpath.service.durable import replace_text
from paperpath.service.log import Log

MOST_FILES = 10_000
MOST_OCTETS = 64 * 2**20
"""Of all files together."""

_SUFFIX = ".json"
_MOST_FILE_OCTETS = 256 * 1024  # more than a policy ever needs
_SLACK_US = 24 * 3600 * 10**6  # what a clock may have been ahead


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """A policy as it was fetched; `id` is that of the TXT record at the time, which is ours."""

    domain: str
    id: str
    fetched_us: int
    policy: StsPolicy

    @property
    def expires_us(self) -> int:
        """From when it is as if it had never been."""
        return self.fetched_us + self.policy.max_age_s * 10**6


class _File(msgspec.Struct, frozen=True, kw_only=True):
    domain: str
    id: str
    fetched_us: int
    policy: str


class PolicyStore:
    """The policies in a folder, which is made when it is needed."""

    def __init__(
        self, folder: Path, log: Log, *, most_files: int = MOST_FILES, most_octets: int = MOST_OCTETS
    ) -> None:
        """Take the folder; another process may use it as well."""
        self._folder = folder
        self._log = log
        self._most_files = most_files
        self._most_octets = most_octets

    def find(self, domain: str, now_us: int) -> StoredPolicy | None:
        """Return the policy of a domain, if there is one that still holds."""
        file = self._find_file(domain)
        try:
            found = _read(file, domain, now_us)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, PolicyError) as error:
            self._log.warning("a stored MTA-STS policy is left out", file=file, reason=str(error))
            return None
        return found if now_us < found.expires_us else None

    def keep(self, stored: StoredPolicy) -> None:
        """Keep a policy in place of an earlier one of its domain. Blocks; what fails is for the log."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            replace_text(self._find_file(stored.domain), _write(stored))
            self._bound()
        except OSError as error:
            self._log.warning("an MTA-STS policy cannot be stored", domain=stored.domain, reason=str(error))

    def _find_file(self, domain: str) -> Path:
        return self._folder / f"{hashlib.sha256(domain.encode('utf-8')).hexdigest()}{_SUFFIX}"

    def _bound(self) -> None:
        """Remove what is too much, and a tenth more, so that this is rare. Raises: OSError."""
        sights: list[tuple[int, int, str]] = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    found = entry.stat(follow_symlinks=False)
                    sights.append((found.st_mtime_ns, found.st_size, entry.path))
        octets = sum(size for _, size, _ in sights)
        if len(sights) <= self._most_files and octets <= self._most_octets:
            return
        files = len(sights)
        for _, size, path in sorted(sights):
            if files <= self._most_files * 0.9 and octets <= self._most_octets * 0.9:
                return
            Path(path).unlink(missing_ok=True)
            files, octets = files - 1, octets - size


def _write(stored: StoredPolicy) -> str:
    file = _File(
        domain=stored.domain,
        id=stored.id,
        fetched_us=stored.fetched_us,
        policy=format_policy(stored.policy),
    )
    return msgspec.json.encode(file).decode("utf-8")


def _read(file: Path, domain: str, now_us: int) -> StoredPolicy:
    """Read a file. Raises: OSError; ValueError or PolicyError, where somebody damaged it."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as opened:
        octets = opened.read(_MOST_FILE_OCTETS)
    found = msgspec.json.decode(octets, type=_File)
    if found.domain != domain:
        raise ValueError("it is for another domain")
    if found.fetched_us > now_us + _SLACK_US:
        raise ValueError("it comes from the future")
    return StoredPolicy(domain, found.id, found.fetched_us, parse_policy(found.policy.encode("utf-8")))
