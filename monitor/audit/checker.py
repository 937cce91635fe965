"""What makes a record the one that was recorded: its number, payload, place, envelope and links, checked here alone.

Written out for speed, since `verify` asks it of every record: the database's own rows, one loop, no object a record.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from monitor.audit import hashing
from monitor.audit.proof.anchors import Anchor
from monitor.audit.proof.compact import CompactRange
from monitor.audit.records import Head
from monitor.audit.seal import EMPTY_LOG
from monitor.audit.stored import Row, Stored, envelope

End = tuple[int, bytes]
"""The end of a stream: its last version and that record's hash."""

_EMPTY_STREAM: Final[End] = (0, hashing.GENESIS)


@dataclass(frozen=True, slots=True)
class Broken:
    """The first record that is not as it was written. `stream` is None where no record is left to name one."""

    sequence: int
    stream: str | None
    what: str

    def __str__(self) -> str:
        where = f" of stream {self.stream}" if self.stream else ""
        return f"record {self.sequence}{where}: {self.what}"


class Checker:
    """Follows the log in its order; keeps the ends of the streams, of the log and of its tree, and no record."""

    def __init__(self) -> None:
        self.tree = CompactRange()
        self.checkpoints = 0
        self._sequence = EMPTY_LOG.sequence
        self._running = EMPTY_LOG.running_hash
        self._streams: dict[str, End] = {}
        self._checked: set[str] | None = None  # None: all of them
        self._scheme = 0  # that of the first record is that of all
        self._held = 0  # the size of the last checkpoint that the tree agreed with

    @property
    def head(self) -> Head:
        """The end of the log as far as it was followed."""
        return Head(self._sequence, self._running)

    @property
    def streams(self) -> Collection[str]:
        """The streams that have records which were checked, since `rest` if that was called."""
        return self._streams.keys() if self._checked is None else self._checked

    def rest(self) -> None:
        """Go on from here another time: what was checked until now is trusted from now on."""
        self._checked = set()

    def check(self, rows: Sequence[Row]) -> Broken | None:
        """Take the next records: what is wrong with the first that is not right, or None."""
        streams, sequence, leaves = self._streams, self._sequence, []
        begun, canonical, genesis = self._begun(rows), hashing.envelope, _EMPTY_STREAM
        broken = None
        for row in rows:
            (
                number, scheme, stream, version, kind, recorded_at, known_at, waited, actor, dedupe_key,
                topic, partition, offset, payload, salt, key_id, payload_hash, previous, leaf, link,
            ) = row  # fmt: skip
            last, end = streams.get(stream, genesis)
            if not (
                number == sequence + 1
                and scheme == begun
                and version == last + 1
                and previous == end
                and sha256(salt + payload.encode()).digest() == payload_hash
                and sha256(
                    b"\x00"
                    + canonical(
                        number, scheme, stream, version, kind, recorded_at, known_at, waited, actor, dedupe_key,
                        topic, partition, offset, key_id, payload_hash, previous,
                    )
                ).digest() == leaf
                and sha256(b"\x02" + previous + leaf).digest() == link
            ):  # fmt: skip
                broken = _wrong(Stored._make(row), sequence + 1, (last, end), begun)
                break
            streams[stream] = (version, link)
            leaves.append(leaf)
            sequence = number
        if self._checked is not None:
            self._checked.update({row[2] for row in rows[: len(leaves)]})
        self._follow(leaves)
        return broken

    def _begun(self, rows: Sequence[Row]) -> int:
        """The scheme of the log, which is that of its first record."""
        if rows and not self._scheme and rows[0][1] in hashing.SCHEMES:
            self._scheme = rows[0][1]
        return self._scheme

    def trust(self, rows: Sequence[Row]) -> Broken | None:
        """Take the next records as they are: their leaves are under a checkpoint that is trusted."""
        self._begun(rows)
        self._checked = self._checked or set()  # from here on not all of them
        leaves, broken = [], None
        for number, stored in enumerate(map(Stored._make, rows), self._sequence + 1):
            if stored.sequence != number:
                broken = _missing(number, stored)
                break
            self._streams[stored.stream] = (stored.version, stored.record_hash)
            leaves.append(stored.leaf_hash)
        self._follow(leaves)
        return broken

    def hold(self, anchor: Anchor) -> Broken | None:
        """Hold the tree, grown to a checkpoint's size, against its root."""
        if anchor.wrong is not None:
            return Broken(anchor.size, None, f"{anchor} is not valid: {anchor.wrong}")
        if self.tree.root() != anchor.root:
            return Broken(self._held + 1, None, f"it, or one up to {anchor.size}, is not what {anchor} was made over")
        self.checkpoints += anchor.size != self._held  # the same one may be held in several places
        self._held = anchor.size
        return None

    def _follow(self, leaves: Sequence[bytes]) -> None:
        running = self._running
        for leaf in leaves:
            running = sha256(b"\x03" + running + leaf).digest()
        self._running = running
        self._sequence += len(leaves)
        self.tree.extend(leaves)


def _wrong(stored: Stored, follows: int, end: End, begun: int) -> Broken:
    """The words for what the loop found."""
    if stored.sequence != follows:
        return _missing(follows, stored)
    what = _content(stored, begun) or _place(stored, end) or _links(stored)
    return Broken(stored.sequence, stored.stream, what)


def _missing(sequence: int, found: Stored) -> Broken:
    return Broken(sequence, None, f"is missing: the log goes on at {found.sequence}")


def _content(stored: Stored, begun: int) -> str | None:
    if stored.scheme not in hashing.SCHEMES:
        return f"its scheme {stored.scheme} is not known to this program"
    if stored.scheme != begun:
        return f"its scheme is {stored.scheme} in a log that was begun with {begun}"
    if hashing.payload_hash(stored.salt, stored.payload) != stored.payload_hash:
        return "its payload is not the one that was recorded"
    return None


def _place(stored: Stored, end: End) -> str | None:
    version, record_hash = end
    if stored.version != version + 1:
        return f"its version is {stored.version} where {version + 1} follows in its stream"
    if stored.previous_hash != record_hash:
        return "it does not follow the record before it in its stream"
    return None


def _links(stored: Stored) -> str:
    if hashing.leaf_hash(envelope(stored)) != stored.leaf_hash:
        return "its envelope (what, when, who, whence) is not the one that was recorded"
    return "its link in the chain of its stream is not the one that was recorded"
