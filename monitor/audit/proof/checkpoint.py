"""A checkpoint: the size and the root of the log's tree at one moment, in the words of C2SP tlog-checkpoint."""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from monitor.audit.proof.keys import SigningKey, VerifierKey
from monitor.audit.proof.note import Note, parse, sign
from monitor.errors import ProofInvalid

ROOT_BYTES: Final = sha256().digest_size
SHOWN: Final = 16
"""Hexadecimal digits of a root in a notice's footer: 64 bits, which nobody meets twice."""

_LARGEST: Final = 2**63


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is signed. `origin` names the log, `size` counts its records, `root` commits to all of them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The note's text."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint with the note it stands in."""

    checkpoint: Checkpoint
    note: Note

    @property
    def size(self) -> int:
        """The number of records it commits to."""
        return self.checkpoint.size

    @property
    def root(self) -> bytes:
        """The root of the tree over them."""
        return self.checkpoint.root

    @property
    def footer(self) -> str:
        """The checkpoint in one line, for the foot of a notice."""
        keys = ", ".join(each.key_id.hex() for each in self.note.signatures)
        return f"log checkpoint: {self.size}, {self.root.hex()[:SHOWN]}, key {keys}"

    def check(self, keys: Sequence[VerifierKey]) -> tuple[VerifierKey, ...]:
        """Who of `keys` signed it, in the name of its origin. Raises ProofInvalid if nobody did, or wrongly."""
        signers = self.note.signers([key for key in keys if key.name == self.checkpoint.origin])
        if not signers:
            raise ProofInvalid(f"the checkpoint of size {self.size} is signed by none of the keys given")
        return signers


def sign_checkpoint(size: int, root: bytes, keys: Sequence[SigningKey]) -> SignedCheckpoint:
    """Sign a head of the log with every key; their common name is the origin."""
    checkpoint = Checkpoint(keys[0].name, size, root)
    return SignedCheckpoint(checkpoint, sign(checkpoint.text, keys))


def read_checkpoint(text: str) -> SignedCheckpoint:
    """Read a checkpoint's note; whose it is `SignedCheckpoint.check` says. Raises ProofInvalid."""
    note = parse(text)
    lines = note.text.removesuffix("\n").split("\n")
    if len(lines) < 3 or not all(lines):
        raise ProofInvalid("the note is no checkpoint: origin, size and root, a line each")
    origin, size, encoded = lines[:3]
    try:
        root = b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        root = b""
    canonical = size.isascii() and size.isdecimal() and str(int(size)) == size and int(size) < _LARGEST
    if not canonical or len(root) != ROOT_BYTES:
        raise ProofInvalid("the note is no checkpoint: its size or its root cannot be read")
    return SignedCheckpoint(Checkpoint(origin, int(size), root), note)
