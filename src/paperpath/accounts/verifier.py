"""Who it is that logs in: names and passwords judged, and nobody else made to pay for guesses (attack S-7).

Used by the ways in that people log in to. In this order: the limits of attempts, which cost nothing; proofs
of the last minutes; a hash, in one of two lanes of threads, each with a short queue. Who got in from the same
network lately has a lane apart, so strangers who guess wait among themselves. An unknown name goes the same
way, with the hash of a password that nobody knows, and has keys of SCRAM that are made from it.
The same password for the same name, from one network at the same moment, is one attempt.

A name is an address, or its local part where the domain is the host's own. It is looked for as it is spelt,
then in any case, then in the form of compatibility that SASLprep gives names too (NFKC).
"""

import hashlib
import hmac
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from paperpath.accounts.attempts import Attempts, find_network
from paperpath.accounts.directory import Directory, EntryType, address_key
from paperpath.accounts.file import AccountsFile
from paperpath.accounts.joining import JoinedWork
from paperpath.accounts.lanes import Lane, LaneFullError
from paperpath.accounts.passwords import (
    ITERATIONS,
    SALT_OCTETS,
    CheckError,
    PasswordError,
    is_password,
    prepare_password,
)
from paperpath.accounts.recent import RecentProofs
from paperpath.accounts.secrets import Secret, SecretsFile
from paperpath.mail.address import AddressError, Mailbox, format_mailbox, parse_local_part, parse_mailbox
from paperpath.smtp.scram import ScramKeys

_FAMILIAR_THREADS = 2
_MOST_WAITING = 32  # a second of hashing
_MOST_NAME = 512  # characters, more than any address has; the rest of a name makes no difference


class Ruling(Enum):
    """What is said to who wants to log in."""

    ACCEPTED = "accepted"
    WRONG = "wrong"  # name or password: which of them is not told
    SUSPENDED = "suspended"  # told only to who proved to be the account
    THROTTLED = "throttled"  # too many failures; nothing was looked at
    BUSY = "busy"  # too many are logging in just now


@dataclass(frozen=True, slots=True)
class Verdict:
    """A ruling; `account` is who is let in, as the secrets spell the address, and else `None`."""

    ruling: Ruling
    account: Mailbox | None = None


class Verifier:
    """Judges who logs in to one process."""

    def __init__(
        self,
        secrets: SecretsFile,
        accounts: AccountsFile,
        domain: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start with nobody known; `domain` completes names that have none."""
        self.domain = domain
        self._secrets = secrets
        self._accounts = accounts
        self._clock = clock
        self._attempts = Attempts()
        self._recent = RecentProofs()
        self._familiar = Lane("hash-familiar", _FAMILIAR_THREADS, _MOST_WAITING)
        self._strangers = Lane("hash-stranger", 1, _MOST_WAITING)
        self._judging = JoinedWork[Verdict]()

    async def verify(self, name: str, password: str, client_address: str) -> Verdict:
        """Judge a name and a password that were sent as they are (PLAIN, LOGIN)."""
        secret, network = self._find(name), find_network(client_address)
        who = self._key(name, secret)
        return await self._judging.run(
            (secret, who, network, password), lambda: self._judge(who, network, secret, password)
        )

    def find_scram_keys(self, name: str, client_address: str) -> ScramKeys | None:
        """Return by which keys a name is to prove itself, and count the attempt; `None`: throttled.

        Unknown names have keys too, always the same ones, which no password fits.
        """
        secret = self._find(name)
        who = self._key(name, secret)
        if not self._attempts.begin(who, find_network(client_address), self._clock()):
            return None
        if secret is not None and secret.scram is not None:
            return secret.scram
        return _invent_keys(self._secrets.read().key, who)

    def conclude_scram(self, name: str, client_address: str) -> Verdict:
        """Judge a name that has proved itself by the keys given for it, which takes that attempt back."""
        secret = self._find(name)
        self._attempts.succeed(self._key(name, secret), find_network(client_address), self._clock())
        return Verdict(Ruling.WRONG) if secret is None else _let_in(secret)

    def admit(self, name: str) -> Verdict:
        """Judge a name that is proved by other means: a certificate, or a user of this host.

        It need have no password, but must be an account that is not suspended. Of `joe` and `Joe` only one
        may have a password, so nobody is found by whose it could be.
        """
        account = self._find_in(self._accounts.read(), name)
        secret = self._find(name) if account is None else self.find_secret(account.address)
        if secret is not None:
            return _let_in(secret)
        return Verdict(Ruling.WRONG) if account is None else Verdict(Ruling.ACCEPTED, account.address)

    def find_secret(self, account: Mailbox) -> Secret | None:
        """Return what is kept of an account, its limits among it, spelt exactly so."""
        return self._secrets.read().find_exact(account)

    def take_trouble(self) -> str | None:
        """Return, once, why the files as they are now could not be read; the old ones stay in force."""
        return self._secrets.take_trouble() or self._accounts.take_trouble()

    def close(self) -> None:
        """Let the threads end."""
        self._familiar.close()
        self._strangers.close()

    async def _judge(self, who: str, network: str, secret: Secret | None, password: str) -> Verdict:
        now_s = self._clock()
        if not self._attempts.begin(who, network, now_s):
            return Verdict(Ruling.THROTTLED)
        prepared = _prepare(password)
        if secret is None or not self._recent.holds(secret, prepared, now_s):
            lane = self._familiar if self._attempts.is_familiar(who, network, now_s) else self._strangers
            try:
                kept = "" if secret is None else secret.password_hash
                is_right = await lane.run(network, is_password, prepared, kept)
            except (LaneFullError, CheckError):
                self._attempts.take_back(who, network, now_s)
                return Verdict(Ruling.BUSY)
            if secret is None or not is_right:
                return Verdict(Ruling.WRONG)
            self._recent.note(secret, prepared, now_s)
        self._attempts.succeed(who, network, self._clock())
        return _let_in(secret)

    def _find(self, name: str) -> Secret | None:
        return self._find_in(self._secrets.read(), name)

    def _find_in(self, directory: Directory[EntryType], name: str) -> EntryType | None:
        for spelling in (name, _fold_compatible(name)):
            address = self._read_name(spelling)
            if address is not None and (found := directory.find(address)) is not None:
                return found
        return None

    def _read_name(self, name: str) -> Mailbox | None:
        if len(name) > _MOST_NAME:
            return None
        try:
            if "@" in name:
                return parse_mailbox(name)
            return Mailbox(parse_local_part(name), self.domain) if self.domain else None
        except AddressError:
            return None

    def _key(self, name: str, secret: Secret | None) -> str:
        """Return under which name attempts are counted: one for all spellings of an account."""
        if secret is not None:
            return format_mailbox(secret.address)
        address = self._read_name(_fold_compatible(name))
        if address is None:
            return name[:_MOST_NAME]
        return "@".join(address_key(address)).casefold()


def _fold_compatible(name: str) -> str:
    return unicodedata.normalize("NFKC", name[: _MOST_NAME + 1])


def _let_in(secret: Secret) -> Verdict:
    if secret.is_suspended:
        return Verdict(Ruling.SUSPENDED)
    return Verdict(Ruling.ACCEPTED, secret.address)


def _prepare(password: str) -> str:
    """Return a password's form; an empty one, which no account has, where it has none."""
    try:
        return prepare_password(password)
    except PasswordError:
        return ""


def _invent_keys(key: bytes, name: str) -> ScramKeys:
    """Make keys that tell nobody that a name is unknown; the same ones whenever they are asked for."""

    def make(purpose: str) -> bytes:
        return hmac.digest(key, f"{purpose}\0{name}".encode(), hashlib.sha256)

    return ScramKeys(make("salt")[:SALT_OCTETS], ITERATIONS, make("stored"), make("server"))
