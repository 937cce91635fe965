"""Whether the log is whole: sequence, payloads, leaves, chains and head. Streams the log in constant memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from monitor.audit import hashing
from monitor.audit.ports import AuditLog
from monitor.audit.records import Head, StreamHead
from monitor.audit.seal import EMPTY_LOG, EMPTY_STREAM
from monitor.audit.stored import Stored, envelope
from monitor.errors import RecordUnreadable


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
    """Follows the log record by record; keeps the ends of the streams and of the log, and no record."""

    def __init__(self) -> None:
        self.head = EMPTY_LOG
        self.streams: dict[str, StreamHead] = {}

    def check(self, stored: Stored) -> Broken | None:
        """Take the next record: what is wrong with it, or None."""
        wrong = self._wrong(stored)
        if wrong is not None:
            return wrong
        self.streams[stored.stream] = StreamHead(stored.version, stored.record_hash)
        running = hashing.running_hash(self.head.running_hash, stored.leaf_hash)
        self.head = Head(stored.sequence, running)
        return None

    def _wrong(self, stored: Stored) -> Broken | None:
        expected = self.head.sequence + 1
        if stored.sequence != expected:
            return Broken(expected, None, f"is missing: the log goes on at {stored.sequence}")
        end = self.streams.get(stored.stream, EMPTY_STREAM)
        what = _content(stored) or _place(stored, end) or _links(stored)
        return Broken(stored.sequence, stored.stream, what) if what else None


def _content(stored: Stored) -> str | None:
    if stored.scheme != hashing.SCHEME_PLAIN:
        return f"its scheme {stored.scheme} is not known to this program"
    if hashing.payload_hash(stored.salt, stored.payload) != stored.payload_hash:
        return "its payload is not the one that was recorded"
    return None


def _place(stored: Stored, end: StreamHead) -> str | None:
    if stored.version != end.version + 1:
        return f"its version is {stored.version} where {end.version + 1} follows in its stream"
    if stored.previous_hash != end.record_hash:
        return "it does not follow the record before it in its stream"
    return None


def _links(stored: Stored) -> str | None:
    if hashing.leaf_hash(envelope(stored)) != stored.leaf_hash:
        return "its envelope (what, when, who, whence) is not the one that was recorded"
    if hashing.record_hash(stored.previous_hash, stored.leaf_hash) != stored.record_hash:
        return "its link in the chain of its stream is not the one that was recorded"
    return None


async def check_log(log: AuditLog, checker: Checker) -> AsyncIterator[Broken | int]:
    """Check the whole log. Yields the sequence reached now and then, and as the last thing what is broken, if anything.

    Records that are appended meanwhile are left to the next run.
    """
    head = await log.head()
    try:
        async for page in log.stored(until=head.sequence):
            for stored in page:
                if (broken := checker.check(stored)) is not None:
                    yield broken
                    return
            yield checker.head.sequence
    except RecordUnreadable as error:
        yield Broken(error.sequence, None, "it cannot be read: its bytes are no text")
        return
    broken = await _check_end(log, head, checker.head)
    if broken is not None:
        yield broken


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
