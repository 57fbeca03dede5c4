"""The keys of [dkim] read from their files, into what finds and uses them.

Called by whatever puts messages of this site into the maildrop, when it starts and at each reload, with the
rights that it works with: the service's user must be able to read the keys, and not every user of the host.
Without keys nothing of cryptography is imported.
"""

import os
import shlex
import stat
from collections.abc import Iterator

from paperpath.config.dkim_table import DkimKeyEntry, DkimTable
from paperpath.dkim.keyring import Keyring, Signer, SigningKey
from paperpath.mail.domain import domain_key
from paperpath.service.errors import ServiceError
from paperpath.service.tls.key_files import read_key_file


def open_keyring(table: DkimTable) -> Keyring:
    """Read all keys. Raises: ServiceError, with a line for each that cannot be used."""
    signers, mistakes = [], []
    for entry in table.key:
        try:
            signers.append(
                Signer(domain_key(entry.domain), entry.selector, read_signing_key(entry), entry.subdomains)
            )
        except ServiceError as error:
            mistakes.append(str(error))
    if mistakes:
        raise ServiceError("\n".join(mistakes), os.EX_CONFIG)
    return Keyring(signers)


def read_signing_key(entry: DkimKeyEntry) -> "LoadedKey":
    """Read a key. Raises: ServiceError, also where others could read or write it."""
    from paperpath.dkim.keys import KeyRefusedError, load_key
