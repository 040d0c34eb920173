"""Sealing: what the database keeps and only this installation can read, by its secret key."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken


class Seal:
    """Seals short texts with a key made from the installation's secret key.

    A copy of the database alone gives none of them away. With another secret key none can be read again.
    """

    def __init__(self, secret_key: str) -> None:
        made = hmac.digest(secret_key.encode(), b"sop-server: sealed in the database", hashlib.sha256)
        self._fernet = Fernet(base64.urlsafe_b64encode(made))

    def close(self, text: str) -> str:
        """Return the text sealed, as ASCII."""
        return self._fernet.encrypt(text.encode()).decode("ascii")

    def open(self, sealed: str) -> str | None:
        """Return what was sealed, None where it was sealed with another secret key or was changed."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None
