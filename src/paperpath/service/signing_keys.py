"""The keys of [dkim] read from their files, into what finds and uses them.

Called by whatever puts messages of this site into the maildrop, when it starts and at each reload, with the
rights that it works with: the service's user must be able to read the keys, and not every user of the host.
"""

import os
import shlex
import stat

from paperpath.config.dkim_table import DkimKeyEntry, DkimTable
from paperpath.dkim.keyring import Keyring, Signer
from paperpath.dkim.keys import KeyRefusedError, SigningPair, load_key
from paperpath.mail.domain import domain_key
from paperpath.service.errors import ServiceError
from paperpath.service.tls.key_files import read_key_file


def open_keyring(table: DkimTable) -> Keyring:
    """Read all keys. Raises: ServiceError, with a line for each that cannot be used."""
    signers: list[Signer] = []
    mistakes = []
    for entry in table.key:
        try:
            key = read_signing_key(entry)
        except ServiceError as error:
            mistakes.append(str(error))
        else:
            signers.append(Signer(domain_key(entry.domain), entry.selector, key, entry.subdomains))
    if mistakes:
        raise ServiceError("\n".join(mistakes), os.EX_CONFIG)
    return Keyring(signers)


def read_signing_key(entry: DkimKeyEntry) -> SigningPair:
    """Read a key. Raises: ServiceError, also where others could read or write it (attack L-4)."""
    file = read_key_file(entry.file)
    if file.mode & (stat.S_IROTH | stat.S_IWOTH):
        command = f"chmod o-rw {shlex.quote(str(entry.file))}"
        reason = f"every user of this host may read or write the key; run: {command}"
        raise ServiceError(f"{entry.file}: {reason}", os.EX_CONFIG)
    try:
        return load_key(file.octets)
    except KeyRefusedError as error:
        raise ServiceError(f"{entry.file}: {error}", os.EX_CONFIG) from error


def find_key_doubts(table: DkimTable) -> tuple[list[str], list[str]]:
    """Return why programs would refuse keys, and which of them are shorter than advised."""
    mistakes, doubts = [], []
    for index, entry in enumerate(table.key):
        try:
            weakness = read_signing_key(entry).weakness
        except ServiceError as error:
            mistakes.append(f"dkim.key[{index}].file: {error}")
        else:
            if weakness:
                doubts.append(f"dkim.key[{index}].file: {entry.file}: {weakness}")
    return mistakes, doubts
