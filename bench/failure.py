"""What ends a run early: the errors of the load test and the exit status each of them stands for.

Every module raises these and only `__main__` catches them, so no traceback reaches a reader who has
merely not installed Postfix.
"""

UNAVAILABLE = 69  # a program we need is absent (EX_UNAVAILABLE of sysexits.h)
FAILED = 70  # a side did not do what it promises (EX_SOFTWARE)


class BenchError(Exception):
    """The run cannot go on; the text is one or more whole sentences for the reader."""

    status = FAILED


class AbsentError(BenchError):
    """A program or a right that the run needs is not there."""

    status = UNAVAILABLE
