"""Signed notes as C2SP has them: a text, an empty line, and a line for each signature."""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from monitor.audit.proof.keys import ID_BYTES, SigningKey, VerifierKey
from monitor.errors import ProofInvalid

MARK: Final = "\u2014 "
"""Begins a signature line: an em dash and a blank."""

MOST_SIGNATURES: Final = 100
"""As Go's reader has it; a note with more is no note."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature of a note: by whom, and what to check."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it was read; its text means nothing before `signers` has named somebody who is trusted."""

    text: str
    signatures: tuple[Signature, ...]

    def signers(self, keys: Sequence[VerifierKey]) -> tuple[VerifierKey, ...]:
        """The keys of `keys` that signed it; signatures of other keys are passed over.

        Raises ProofInvalid for a signature in the name of one of the keys that is not by it.
        """
        known = {(key.name, key.id): key for key in keys}
        found = []
        for each in self.signatures:
            key = known.get((each.name, each.key_id))
            if key is None:
                continue
            if not key.signed(self.text.encode(), each.signature):
                raise ProofInvalid(f"the signature of {key.name}+{key.id.hex()} is not of this note")
            found.append(key)
        return tuple(dict.fromkeys(found))

    def __str__(self) -> str:
        lines = (f"{MARK}{each.name} {b64encode(each.key_id + each.signature).decode()}\n" for each in self.signatures)
        return f"{self.text}\n{''.join(lines)}"


def sign(text: str, keys: Sequence[SigningKey]) -> Note:
    """The note of this text (which ends its last line) with a signature of each key."""
    return Note(text, tuple(Signature(key.name, key.verifier.id, key.sign(text.encode())) for key in keys))


def parse(text: str) -> Note:
    """Read a note. Raises ProofInvalid for what is none."""
    if any(sign < " " and sign != "\n" for sign in text):
        raise ProofInvalid("a note holds no control characters but ends of lines")
    body, blank, signed = text.rpartition("\n\n")
    if not blank or not body or not signed.endswith("\n"):
        raise ProofInvalid("this is no signed note: a text, an empty line, signature lines")
    lines = signed.removesuffix("\n").split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise ProofInvalid("a note with so many signatures is none")
    return Note(body + "\n", tuple(_signature(line) for line in lines))


def split(text: str) -> Iterator[str]:
    """The notes of a file that holds one after another, an empty line between them, as `publishing` writes it.

    What is no note comes out as it stands, for `parse` to refuse.
    """
    lines: list[str] = []
    signed = False
    for line in text.splitlines(keepends=True):
        if signed and not line.startswith(MARK):
            yield "".join(lines)
            lines, signed = [], False
        if line != "\n" or lines:
            lines.append(line)
        signed = signed or (line.startswith(MARK) and line.endswith("\n"))
    if lines:
        yield "".join(lines)


def _signature(line: str) -> Signature:
    name, blank, encoded = line.removeprefix(MARK).partition(" ")
    try:
        content = b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        content = b""
    if not line.startswith(MARK) or not blank or not name or "+" in name or len(content) <= ID_BYTES:
        raise ProofInvalid("a signature line of the note cannot be read")
    return Signature(name, content[:ID_BYTES], content[ID_BYTES:])
