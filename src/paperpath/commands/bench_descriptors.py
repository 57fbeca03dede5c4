"""How many connections a process may have: as many as the system lets its user.

Called by bench_send.py and bench_sink.py.
"""

import resource

_OTHERS = 64  # open files that are no connection


def allow_connections() -> int:
    """Have as many open files as this user may; return how many connections that allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard - _OTHERS
