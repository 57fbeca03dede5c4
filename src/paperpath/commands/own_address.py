"""Who calls sendmail or mailto, as an address of this host."""

import os
import pwd

from paperpath.commands.plain_configuration import PlainConfiguration
from paperpath.mail.address import Mailbox
from paperpath.submission.canonical.mailboxes import own_mailbox


def find_own_address(configuration: PlainConfiguration) -> Mailbox:
    """Return who calls, by the account of this host and not by what the environment says."""
    uid = os.geteuid()
    try:
        login = pwd.getpwuid(uid).pw_name
    except KeyError:
        login = ""
    return own_mailbox(uid, login, configuration.canonical.domain)
