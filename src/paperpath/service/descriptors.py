"""How many files and connections a process may have open at once.

The limit that a process is started with is mostly 1,024, for programs of old; it may raise it itself, up to
another that root or systemd has set.
"""

import resource


def allow_descriptors(wanted: int) -> int:
    """Raise our limit to what is wanted, or as far as it goes; return what it is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed
