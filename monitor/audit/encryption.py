"""Payloads under keys of their own (scheme 2): what a stored payload is made of, and how its key is kept. Pure.

A payload's key encrypts one text and no other, so its nonce need not differ (NIST SP 800-38D, 8: a nonce must not come
twice under one key). The commitment lets somebody without AES see that a text is the one that was recorded: an export
shows key and text. Once the key is destroyed, neither commitment nor ciphertext tells anything.
"""

import hmac
import secrets
from base64 import b64decode, b64encode
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
"""AES-256."""

COMMITMENT_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_NO_NONCE: Final = bytes(_NONCE_BYTES)


class WrongKey(ValueError):  # noqa: N818 - a word of the working vocabulary
    """The key is not the one that this was encrypted under, or the bytes were changed."""


def new_key() -> bytes:
    """A key from the system's source of randomness."""
    return secrets.token_bytes(KEY_BYTES)


def identity(sequence: int, version: int, stream: str) -> bytes:
    """What binds a payload to its record: a ciphertext copied into another record does not open there."""
    return f"{sequence}/{version}/{stream}".encode()


def commitment(key: bytes, text: str) -> bytes:
    """HMAC-SHA-256 of the text under the payload's key."""
    return hmac.digest(key, text.encode(), "sha256")


def encrypt(key: bytes, of: bytes, text: str) -> str:
    """The stored payload: base64 of the commitment, then AES-256-GCM of the text, its tag at the end."""
    clear = text.encode()
    sealed = AESGCM(key).encrypt(_NO_NONCE, clear, of)
    return b64encode(hmac.digest(key, clear, "sha256") + sealed).decode()


def decrypt(key: bytes, of: bytes, stored: str) -> str:
    """The text of a stored payload. Raises WrongKey."""
    try:
        raw = b64decode(stored, validate=True)
        clear = AESGCM(key).decrypt(_NO_NONCE, raw[COMMITMENT_BYTES:], of)
    except (InvalidTag, ValueError) as error:
        raise WrongKey("the payload does not open under its key") from error
    if not hmac.compare_digest(hmac.digest(key, clear, "sha256"), raw[:COMMITMENT_BYTES]):
        raise WrongKey("the payload is not the one it was committed to")
    return clear.decode()


class WrappingKey:
    """A key that wraps the keys of payloads: a patient's, or that of what concerns no patient."""

    def __init__(self, key_id: str, key: bytes) -> None:
        self.key_id = key_id
        self._cipher = AESGCM(key)

    def wrap(self, key: bytes, sequence: int) -> bytes:
        """A payload's key as it is kept: nonce, then AES-256-GCM of the key, bound to the record's sequence."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key, str(sequence).encode())

    def unwrap(self, wrapped: bytes, sequence: int) -> bytes:
        """The key of a payload. Raises WrongKey."""
        try:
            return self._cipher.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], str(sequence).encode())
        except (InvalidTag, ValueError) as error:
            raise WrongKey("the payload's key does not open under its wrapping key") from error


def keyed(secret: bytes, dedupe_key: str) -> str:
    """A dedupe key as the log shows it: without the secret nobody can try out what a message may have said."""
    return hmac.digest(secret, dedupe_key.encode(), "sha256").hex()
