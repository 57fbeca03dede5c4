"""What is noted when delays of recipients are reported: an operation of one transaction, with the reports."""

import json
from collections.abc import Sequence

from paperpath.maildrop.sqlite.arrivals import insert_reports
from paperpath.maildrop.sqlite.database import fetch
from paperpath.maildrop.sqlite.group import Transaction
from paperpath.maildrop.values import NewMessage, Warned

_WARN = """
    UPDATE recipient SET warned = 1
    WHERE id IN (SELECT value FROM json_each(?)) AND NOT warned
      AND state IN ('unsorted', 'ready', 'claimed', 'held')
    RETURNING id
"""


def warn(transaction: Transaction, warnings: Sequence[Warned]) -> int:
    """Mark recipients that are open and were not warned before; give how many."""
    reports: dict[int, NewMessage | None] = {}
    for warning in warnings:
        reports.setdefault(warning.recipient_id, warning.report)
    marked = {number for (number,) in fetch(transaction.cursor, _WARN, (json.dumps(list(reports)),))}
    insert_reports(transaction, [report for number, report in reports.items() if number in marked])
    return len(marked)
