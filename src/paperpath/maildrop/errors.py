"""Why a maildrop could not do what it was asked; nothing of the operation was kept."""


class MaildropError(Exception):
    """The maildrop could not do it; nothing of the operation was kept."""


class StorageError(MaildropError):
    """Writing or flushing failed; `no_space` tells a full disk from a broken one."""

    def __init__(self, message: str, *, no_space: bool) -> None:
        """Keep the reason, and whether space was it."""
        super().__init__(message)
        self.no_space = no_space


class DamagedFileError(StorageError):
    """A page of the queue's file is no longer what was written; what lies on others may be well."""

    def __init__(self, reason: object) -> None:
        """Keep the reason."""
        super().__init__(f"maildrop: the queue's file is damaged: {reason}", no_space=False)


class SchemaError(MaildropError):
    """There is no maildrop, or it is of another version; the message names the command to run."""
