"""Who proved a short while ago to know a password: that one is not hashed again (libraries hash for 30 ms).

Used by the verifier. Kept is no password, but a digest of it under a key that never leaves the process, and
that of the hash which it matched: a changed password is a new one.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict

from paperpath.accounts.secrets import Secret

_MOST = 10_000
_KEPT_S = 300.0


class RecentProofs:
    """The last proof of each account. Whoever asks says what time it is, by a clock that does not go back."""

    def __init__(self) -> None:
        """Begin with none, and with a key of its own."""
        self._key = secrets.token_bytes(32)
        self._proofs: OrderedDict[str, tuple[bytes, float]] = OrderedDict()

    def holds(self, secret: Secret, prepared: str, now_s: float) -> bool:
        """Tell whether this password was found right within the last five minutes."""
        proof, proved_s = self._proofs.get(str(secret.address), (b"", 0.0))
        is_same = hmac.compare_digest(proof, self._digest(secret, prepared))
        return is_same and now_s - proved_s < _KEPT_S

    def note(self, secret: Secret, prepared: str, now_s: float) -> None:
        """Keep that a password was found right."""
        self._proofs[str(secret.address)] = self._digest(secret, prepared), now_s
        self._proofs.move_to_end(str(secret.address))
        if len(self._proofs) > _MOST:
            self._proofs.popitem(last=False)

    def _digest(self, secret: Secret, prepared: str) -> bytes:
        return hmac.digest(self._key, f"{secret.password_hash}\0{prepared}".encode(), hashlib.sha256)
