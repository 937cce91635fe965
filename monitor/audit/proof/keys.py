"""Ed25519 keys as lines of text: those that sign notes, and those that check them (C2SP signed-note; Go's sumdb/note).

    verifier key   NAME+ID+base64(0x01 || public key)
    signing key    PRIVATE+KEY+NAME+ID+base64(0x01 || seed)

NAME is the origin of the log, ID eight hexadecimal digits.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from monitor.errors import UsageError

ED25519: Final = b"\x01"
PRIVATE: Final = "PRIVATE+KEY+"
KEY_BYTES: Final = 32
ID_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name it signs under."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """The key's id in a note: the first four bytes of SHA-256(name || LF || 0x01 || public key)."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:ID_BYTES]

    @property
    def line(self) -> str:
        """The key as an auditor keeps it."""
        return f"{self.name}+{self.id.hex()}+{b64encode(ED25519 + self.public).decode()}"

    def signed(self, text: bytes, signature: bytes) -> bool:
        """Is this the key's signature of the text?"""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except (InvalidSignature, ValueError):
            return False
        return True

    @classmethod
    def parse(cls, line: str) -> "VerifierKey":
        """Read a verifier key. Raises UsageError."""
        name, claimed, public = _parts(line, "a verifier key")
        key = cls(name, public)
        if key.id != claimed:
            raise UsageError(f"a verifier key of {name} has the id {claimed.hex()} where its bytes give {key.id.hex()}")
        return key


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with the name it signs under; its secret is in no `repr`."""

    name: str
    seed: bytes = field(repr=False)

    @classmethod
    def generate(cls, name: str) -> "SigningKey":
        """A new key. Raises UsageError for a name that no note can bear."""
        return cls(checked_name(name), Ed25519PrivateKey.generate().private_bytes_raw())

    @property
    def verifier(self) -> VerifierKey:
        """What others need to check this key's signatures."""
        return VerifierKey(self.name, Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw())

    @property
    def line(self) -> str:
        """The key as its file holds it: a secret."""
        return f"{PRIVATE}{self.name}+{self.verifier.id.hex()}+{b64encode(ED25519 + self.seed).decode()}"

    def sign(self, text: bytes) -> bytes:
        """The 64 bytes of the signature (RFC 8032)."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(text)

    @classmethod
    def parse(cls, line: str) -> "SigningKey":
        """Read a signing key. Raises UsageError, which never shows the line."""
        if not line.startswith(PRIVATE):
            raise UsageError(f"a signing key begins with {PRIVATE}")
        name, claimed, seed = _parts(line.removeprefix(PRIVATE), "a signing key")
        key = cls(name, seed)
        if key.verifier.id != claimed:
            raise UsageError(f"a signing key of {name} does not have the id it claims")
        return key


def checked_name(name: str) -> str:
    """The name, if a note can bear it. Raises UsageError."""
    if not name or "+" in name or any(sign.isspace() or not sign.isprintable() for sign in name):
        raise UsageError(f"{name!r} cannot name a key: no blanks, no plus; best an address such as example.org/trial")
    return name


def signing_keys(text: str) -> Sequence[SigningKey]:
    """The keys of a key file, one a line; while two overlap, each signs. Raises UsageError."""
    keys = [SigningKey.parse(line) for line in _lines(text)]
    if not keys:
        raise UsageError("the key file holds no key: make one with `safety-monitor audit keygen --out FILE`")
    if len({key.name for key in keys}) > 1:
        raise UsageError("the keys of one key file must have one name: it is the origin of the log")
    return keys


def keyring(text: str) -> Sequence[VerifierKey]:
    """The verifier keys of a keyring file, one a line, `#` for remarks. Raises UsageError."""
    return [VerifierKey.parse(line) for line in _lines(text)]


def _lines(text: str) -> Iterable[str]:
    return (line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))


def _parts(line: str, what: str) -> tuple[str, bytes, bytes]:
    try:
        name, claimed, encoded = line.strip().split("+", 2)
        key = b64decode(encoded, validate=True)
        identity = bytes.fromhex(claimed)
    except (ValueError, binascii.Error):
        raise UsageError(f"{what} cannot be read: it is NAME+ID+BASE64") from None
    if key[:1] != ED25519 or len(key) != 1 + KEY_BYTES or len(identity) != ID_BYTES:
        raise UsageError(f"{what} is not of Ed25519")
    return checked_name(name), identity, key[1:]
