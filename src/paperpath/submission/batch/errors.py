"""Why a batch is not read to its end. What came before stays processed (requirements J-24, J-25)."""


class BatchError(Exception):
    """The batch ends here; the reason is a sentence for people."""


class InvalidBatchError(BatchError):
    """What stands there is no batch: giving it again would not help, so the postmaster gets a copy."""


class InterruptedBatchError(BatchError):
    """We cannot go on now; given again, the batch goes on behind the last message that was processed."""
