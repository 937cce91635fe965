"""`verify --export`: the frame of the export's own verifier, with this program's hashes, tree, notes and signatures.

So two implementations look at every record: what one has wrong, the other does not accept.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from monitor.audit import encryption, hashing
from monitor.audit.export import verifier
from monitor.audit.export.selection import Filters
from monitor.audit.proof.checkpoint import read_checkpoint
from monitor.audit.proof.compact import CompactRange
from monitor.audit.proof.keys import VerifierKey
from monitor.audit.stored import Stored, envelope
from monitor.errors import ProofInvalid


class ProgramJudge(verifier.Judge):
    """The computations by the code that writes the log."""

    @staticmethod
    def payload_hash(row: verifier.Row) -> str:
        """See monitor.audit.hashing."""
        stored = stored_of(row)
        return hashing.payload_hash(stored.salt, stored.payload).hex()

    @staticmethod
    def leaf_hash(row: verifier.Row) -> str:
        """See monitor.audit.hashing."""
        return hashing.leaf_hash(envelope(stored_of(row))).hex()

    @staticmethod
    def record_hash(row: verifier.Row) -> str:
        """See monitor.audit.hashing."""
        stored = stored_of(row)
        return hashing.record_hash(stored.previous_hash, stored.leaf_hash).hex()

    @staticmethod
    def running_hash(running: bytes, leaf: bytes) -> bytes:
        """See monitor.audit.hashing."""
        return hashing.running_hash(running, leaf)

    @staticmethod
    def selects(filters: verifier.Row, row: verifier.Row) -> bool:
        """See Filters.take."""
        return filters_of(filters).take(stored_of(row), verifier.text_of(row))

    @staticmethod
    def commitment(key: bytes, text: str) -> bytes:
        """See monitor.audit.encryption."""
        return encryption.commitment(key, text)

    @staticmethod
    def tree() -> verifier.Tree:
        """The tree that checkpoints are made of."""
        return _ProgramTree()

    @staticmethod
    def checkpoint(note: str, keys: Sequence[verifier.Key]) -> verifier.Checkpoint:
        """A checkpoint, its signature checked by the library. Raises BrokenError."""
        try:
            signed = read_checkpoint(note)
            signers = signed.check([VerifierKey(key.name, key.public) for key in keys]) if keys else ()
        except ProofInvalid as error:
            raise verifier.BrokenError(f"{verifier.CHECKPOINTS}: {error}") from None
        return verifier.Checkpoint(signed.size, signed.root, [key.line for key in signers])


class _ProgramTree(verifier.Tree):
    def __init__(self) -> None:
        super().__init__()
        self._range = CompactRange()

    def append(self, root: bytes, height: int = 0) -> None:
        if height:
            self._range.append_subtree(root, height)
        else:
            self._range.append(root)
        self.size = self._range.size

    def root(self) -> bytes:
        return self._range.root()


def stored_of(row: verifier.Row) -> Stored:
    """The record of a line that the frame has read."""
    columns: dict[str, Any] = row | {name: bytes.fromhex(row[name]) for name in verifier.BINARY}
    return Stored(**{name: columns[name] for name in Stored._fields})


def filters_of(shown: verifier.Row) -> Filters:
    """The filters of a manifest. Raises ValueError."""
    since, until = (datetime.fromisoformat(shown[name]) if shown[name] else None for name in ("since", "until"))
    return Filters(shown["patient"], since, until)


def verify_export(path: Path, keys: Sequence[VerifierKey]) -> verifier.Verifier:
    """Verify an export; `keys` are those held here, without any those of the export are used.

    Raises verifier.BrokenError with the first thing that is broken, OSError.
    """
    held = [verifier.Key(key.name, key.id, key.public) for key in keys]
    found = verifier.Verifier(path, held, ProgramJudge())
    found.verify()
    return found
