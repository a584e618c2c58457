"""Secrets that lie in the database: sealed with a key that does not.

AES-256-GCM under a key derived from the installation's own; what a secret belongs to is part of the seal, so that one
row's secret is of no use in another.
"""

from __future__ import annotations

import base64
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from factoryops.domain.errors import StorageError

_NONCE_BYTES: Final = 12
_VERSION: Final = "1"


class Vault:
    """Seals and opens.

    Args:
        instance_key: the installation's key.
    """

    def __init__(self, instance_key: bytes) -> None:
        derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"factoryops secrets in the database")
        self._cipher = AESGCM(derive.derive(instance_key))

    def seal(self, text: str, owner: str) -> str:
        """The secret as it may be kept; `owner` is the id of the row it belongs to."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, text.encode(), owner.encode())
        return f"{_VERSION}.{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, owner: str) -> str:
        """The secret; raises StorageError when it was sealed with another key, for another owner, or altered."""
        try:
            raw = base64.b64decode(sealed.removeprefix(f"{_VERSION}."), validate=True)
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], owner.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise StorageError(
                "A secret in the database cannot be opened: the installation's key has changed. Enter the secret again."
            ) from error
