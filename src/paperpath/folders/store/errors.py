"""Why the mail store could not do what it was asked; unless a method says otherwise nothing was changed."""


class StoreError(Exception):
    """The mail store could not do it."""


class NoFolderError(StoreError):
    """There is no folder of that name that could be selected."""


class FolderExistsError(StoreError):
    """There is a folder of that name already."""


class FolderNameError(StoreError):
    """The name is none that a folder can have; `str()` says why."""


class ForbiddenError(StoreError):
    """This cannot be done to this folder, such as removing INBOX; `str()` says why."""


class UseError(StoreError):
    """A special use that is unknown, or that another folder has (RFC 6154 §3)."""


class TooManyKeywordsError(StoreError):
    """The folder has as many keywords as it can; flags were left as they were."""


class TooManySubscriptionsError(StoreError):
    """The account is subscribed to as much as it can be; names of folders that are gone are among that."""


class MessageGoneError(StoreError):
    """A message's file is no longer there; the next look tells that the message departed."""

    def __init__(self, uid: int) -> None:
        """Keep which."""
        super().__init__(f"message {uid} is gone")
        self.uid = uid


class FolderLostError(StoreError):
    """The folder that was opened is no more, or its UIDs are new: who selected it must leave it."""


class IndexTroubleError(StoreError):
    """The index cannot be read or written now, as when the disk is full; `str()` says why."""
