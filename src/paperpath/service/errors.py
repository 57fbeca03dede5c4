"""Why a program cannot start or go on, in words for the person who started it."""

import os


class ServiceError(Exception):
    """The program cannot do its work; `exit_code` is one of sysexits."""

    def __init__(self, message: str, exit_code: int = os.EX_UNAVAILABLE) -> None:
        """Keep the sentence to print, and the code to exit with."""
        super().__init__(message)
        self.exit_code = exit_code
