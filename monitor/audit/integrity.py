"""Whether the log is whole: sequence, payloads, leaves, chains, tree and head. Streams the log in constant memory."""

from bisect import bisect_right
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from operator import itemgetter
from typing import Final

from monitor.audit import hashing
from monitor.audit.ports import AuditLog
from monitor.audit.proof.anchors import Anchor, Anchors
from monitor.audit.proof.compact import CompactRange
from monitor.audit.records import Head
from monitor.audit.seal import EMPTY_LOG
from monitor.audit.stored import Stored, envelope
from monitor.errors import RecordUnreadable

_NO_ANCHORS = Anchors()
_sequence_of: Final = itemgetter(0)
_EMPTY_STREAM = (0, hashing.GENESIS)


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
    """Follows the log record by record; keeps the ends of the streams, of the log and of its tree, and no record."""

    def __init__(self) -> None:
        self.tree = CompactRange()
        self.checkpoints = 0
        self._sequence = EMPTY_LOG.sequence
        self._running = EMPTY_LOG.running_hash
        self._streams: dict[str, tuple[int, bytes]] = {}  # version and record_hash
        self._trusted: dict[str, tuple[int, bytes]] = {}
        self._held = 0  # the size of the last checkpoint that the tree agreed with

    @property
    def head(self) -> Head:
        """The end of the log as far as it was followed."""
        return Head(self._sequence, self._running)

    @property
    def streams(self) -> list[str]:
        """The streams that have records which were checked."""
        return [name for name, end in self._streams.items() if self._trusted.get(name) != end]

    def check(self, stored: Stored) -> Broken | None:
        """Take the next record: what is wrong with it, or None."""
        end = self._streams.get(stored.stream, _EMPTY_STREAM)
        if not _whole(stored, self._sequence + 1, end):
            return self._wrong(stored, end)
        self._take(stored)
        return None

    def trust(self, stored: Stored) -> Broken | None:
        """Take the next record as it is: its leaf is under a checkpoint that is trusted."""
        if stored.sequence != self._sequence + 1:
            return self._missing(stored)
        self._take(stored)
        self._trusted[stored.stream] = self._streams[stored.stream]
        return None

    def hold(self, anchor: Anchor) -> Broken | None:
        """Hold the tree, grown to a checkpoint's size, against its root."""
        if anchor.wrong is not None:
            return Broken(anchor.size, None, f"{anchor} is not valid: {anchor.wrong}")
        if self.tree.root() != anchor.root:
            return Broken(self._held + 1, None, f"it, or one up to {anchor.size}, is not what {anchor} was made over")
        self.checkpoints += anchor.size != self._held  # the same one may be held in several places
        self._held = anchor.size
        return None

    def _take(self, stored: Stored) -> None:
        leaf = stored.leaf_hash
        self._streams[stored.stream] = (stored.version, stored.record_hash)
        self._running = hashing.running_hash(self._running, leaf)
        self._sequence = stored.sequence
        self.tree.append(leaf)

    def _wrong(self, stored: Stored, end: tuple[int, bytes]) -> Broken:
        if stored.sequence != self._sequence + 1:
            return self._missing(stored)
        what = _content(stored) or _place(stored, end) or _links(stored)
        return Broken(stored.sequence, stored.stream, what)

    def _missing(self, stored: Stored) -> Broken:
        return Broken(self._sequence + 1, None, f"is missing: the log goes on at {stored.sequence}")


def _whole(stored: Stored, follows: int, end: tuple[int, bytes]) -> bool:
    """Is everything right? All in one place, for it is asked of every record; `_wrong` then finds the words."""
    (
        sequence, scheme, stream, version, kind, recorded_at, known_at, waited, actor, dedupe_key,
        topic, partition, offset, payload, salt, key_id, payload_hash, previous, leaf, link,
    ) = stored  # fmt: skip
    return (
        sequence == follows
        and scheme == hashing.SCHEME_PLAIN
        and version == end[0] + 1
        and previous == end[1]
        and sha256(salt + payload.encode()).digest() == payload_hash
        and sha256(
            b"\x00"
            + hashing.envelope(
                sequence, scheme, stream, version, kind, recorded_at, known_at, bool(waited), actor, dedupe_key,
                topic, partition, offset, key_id, payload_hash, previous,
            )
        ).digest() == leaf
        and sha256(b"\x02" + previous + leaf).digest() == link
    )  # fmt: skip


def _content(stored: Stored) -> str | None:
    if stored.scheme != hashing.SCHEME_PLAIN:
        return f"its scheme {stored.scheme} is not known to this program"
    if hashing.payload_hash(stored.salt, stored.payload) != stored.payload_hash:
        return "its payload is not the one that was recorded"
    return None


def _place(stored: Stored, end: tuple[int, bytes]) -> str | None:
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


async def check_log(
    log: AuditLog, checker: Checker, anchors: Anchors = _NO_ANCHORS, *, since: int = 0
) -> AsyncIterator[Broken | int]:
    """Check the whole log. Yields the sequence reached now and then, and as the last thing what is broken, if anything.

    The tree is held against every checkpoint of `anchors`. Of records up to `since`, the size of one of them that is
    trusted, only the leaves are looked at. Records that are appended meanwhile are left to the next run.
    """
    largest = await anchors.largest()
    head = await log.head()
    try:
        async for page in log.stored(until=head.sequence):
            held = await anchors.between(checker.head.sequence, page[-1].sequence)
            if (wrong := _page(checker, page, held, since)) is not None:
                yield wrong
                return
            yield checker.head.sequence
    except RecordUnreadable as error:
        yield Broken(error.sequence, None, "it cannot be read: its bytes are no text")
        return
    broken = await _check_end(log, head, checker.head)
    if broken is None and largest is not None and largest.size > head.sequence:
        broken = Broken(head.sequence + 1, None, f"is missing: {largest} counts it")
    if broken is not None:
        yield broken


def _page(checker: Checker, page: Sequence[Stored], held: Sequence[Anchor], since: int) -> Broken | None:
    """Take a page, stopping where a checkpoint was made and where trust ends."""
    begun = 0
    for size in sorted({since, page[-1].sequence, *(anchor.size for anchor in held)}):
        end = bisect_right(page, size, begun, key=_sequence_of)
        take = checker.trust if size <= since else checker.check
        for stored in page[begun:end]:
            if (broken := take(stored)) is not None:
                return broken
        for anchor in held:
            if anchor.size == size and (broken := checker.hold(anchor)) is not None:
                return broken
        begun = end
    return None


async def _check_end(log: AuditLog, head: Head, found: Head) -> Broken | None:
    if found.sequence < head.sequence:
        return Broken(found.sequence + 1, None, f"is missing: the log ends before its head, {head.sequence}")
    if found.running_hash != head.running_hash:
        return Broken(head.sequence, None, "the head was made over other records than these")
    async for page in log.stored(after=head.sequence):
        # Records and head are written together: whoever sees the record sees a head as new.
        if (await log.head()).sequence < page[-1].sequence:
            return Broken(page[0].sequence, page[0].stream, "it is beyond the head: no append wrote it")
        break
    return None
