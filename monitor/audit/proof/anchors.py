"""The checkpoints that a log is held against: those it keeps itself, and those that somebody keeps elsewhere."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.audit.proof.checkpoint import SignedCheckpoint, read_checkpoint
from monitor.audit.proof.keys import VerifierKey
from monitor.audit.proof.publishing import read_file
from monitor.audit.proof.store import Kept, ProofStore
from monitor.errors import ProofInvalid


@dataclass(frozen=True, slots=True)
class Anchor:
    """A checkpoint from somewhere; `wrong` says why it is none."""

    size: int
    root: bytes
    where: str
    wrong: str | None = None

    def __str__(self) -> str:
        return f"the checkpoint of {self.size} records in {self.where}"


class Anchors:
    """Checkpoints in the order of their size, read as the log is: memory does not grow with their number.

    Those of `outside` are held in memory, those of `store` are not. Without `keys` signatures are not looked at.
    """

    def __init__(
        self, outside: Iterable[Anchor] = (), store: ProofStore | None = None, keys: Sequence[VerifierKey] = ()
    ) -> None:
        self._outside = sorted(outside, key=lambda anchor: anchor.size)
        self._store = store
        self._keys = keys

    async def largest(self) -> Anchor | None:
        """The one of the most records. Ask before the log's head is read: then an honest head is no smaller."""
        found = self._outside[-1:]
        if self._store is not None and (newest := await self._store.newest()) is not None:
            found = [*found, self._kept(newest)]
        return max(found, key=lambda anchor: anchor.size, default=None)

    async def between(self, above: int, until: int) -> Sequence[Anchor]:
        """Those of more than `above` records, up to `until`, the smallest first."""
        found = [anchor for anchor in self._outside if above < anchor.size <= until]
        if self._store is not None:
            found += [self._kept(kept) for kept in await self._store.checkpoints(above, until)]
        return sorted(found, key=lambda anchor: anchor.size)

    def _kept(self, kept: Kept) -> Anchor:
        wrong = None
        try:
            signed = read_checkpoint(kept.note)
            if self._keys:
                signed.check(self._keys)
            if (signed.size, signed.root) != (kept.size, kept.root):
                wrong = "its note is of another size or root"
        except ProofInvalid as error:
            wrong = str(error)
        return Anchor(kept.size, kept.root, "the database", wrong)


def anchor_of(signed: SignedCheckpoint, where: str, keys: Sequence[VerifierKey]) -> Anchor:
    """A checkpoint held outside the database. Raises ProofInvalid if none of the keys signed it."""
    if keys:
        signed.check(keys)
    return Anchor(signed.size, signed.root, where)


def anchors_in(path: Path, keys: Sequence[VerifierKey]) -> list[Anchor]:
    """All checkpoints of a file. Raises UsageError, ProofInvalid."""
    return [anchor_of(signed, str(path), keys) for signed in read_file(path)]
