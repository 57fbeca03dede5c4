"""Mail in canonical form into the drop directory, without any daemon (architecture: direct submission; B-26).

Used by sendmail where it may do so while smtpsd is away, and by mailto. Imports more than a submission by SMTP
needs, so sendmail comes here only then.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from paperpath.commands.exits import Exit, ExitError, choose_exit
from paperpath.commands.plain_configuration import PlainCanonical, PlainConfiguration
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import NO_CLIENT, Envelope, Recipient, SenderParameters
from paperpath.mail.reply import Reply
from paperpath.maildrop.drop.format import DropError
from paperpath.maildrop.drop.writer import drop_message
from paperpath.submission.canonical.body import BodyScan
from paperpath.submission.canonical.envelope import complete_recipient, complete_sender
from paperpath.submission.canonical.form import canonicalize
from paperpath.submission.canonical.refusals import CanonicalError
from paperpath.submission.canonical.values import Canonical, CanonicalRules, Masquerade, Submitted
from paperpath.submission.masquerade_file import MasqueradeFileError, load_masquerade
