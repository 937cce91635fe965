"""Whether the log is whole: each record (checker.py), its end, and every checkpoint. Constant memory."""

from bisect import bisect_right
from collections.abc import AsyncIterator, Sequence
from operator import itemgetter
from typing import Final

from monitor.audit.checker import Broken, Checker
from monitor.audit.ports import AuditLog
from monitor.audit.proof.anchors import Anchor, Anchors
from monitor.audit.records import Head
from monitor.audit.stored import Row, Stored
from monitor.errors import RecordUnreadable

_NO_ANCHORS = Anchors()
_sequence_of: Final = itemgetter(0)

PAGE: Final = 8_192
"""Records read at once, some ten megabytes: what a page costs beside its records is then a twentieth of it all."""


async def check_log(
    log: AuditLog, checker: Checker, anchors: Anchors = _NO_ANCHORS, *, since: int = 0, size: int = PAGE
) -> AsyncIterator[Broken | int]:
    """Check the log from where `checker` stands. Yields the sequence reached after each page of `size` records, and as
    the last thing what is broken, if anything.

    The tree is held against every checkpoint of `anchors`. Of records up to `since`, the size of one of them that is
    trusted, only the leaves are looked at. Records that are appended meanwhile are left to the next run.
    """
    largest = await anchors.largest()
    head = await log.head()
    try:
        async for page in log.stored(after=checker.head.sequence, until=head.sequence, size=size):
            held = await anchors.between(checker.head.sequence, _sequence_of(page[-1]))
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


def _page(checker: Checker, page: Sequence[Row], held: Sequence[Anchor], since: int) -> Broken | None:
    """Take a page, stopping where a checkpoint was made and where trust ends."""
    begun = 0
    for size in sorted({since, _sequence_of(page[-1]), *(anchor.size for anchor in held)}):
        end = bisect_right(page, size, begun, key=_sequence_of)
        take = checker.trust if size <= since else checker.check
        if (broken := take(page[begun:end])) is not None:
            return broken
        if checker.head.sequence < size <= _sequence_of(page[-1]):  # a gap: the record behind it says which is missing
            return take(page[end : end + 1])
        for anchor in held:
            if anchor.size == size and (broken := checker.hold(anchor)) is not None:
                return broken
        begun = end
    return None


async def _check_end(log: AuditLog, head: Head, found: Head) -> Broken | None:
    if found.sequence < head.sequence:
        return Broken(found.sequence + 1, None, f"is missing: the log ends before its head, {head.sequence}")
    if found.running_hash != head.running_hash:
        return Broken(max(head.sequence, 1), None, "the head was made over other records than these")
    async for page in log.stored(after=head.sequence):
        # Records and head are written together: whoever sees the record sees a head as new.
        if (await log.head()).sequence < _sequence_of(page[-1]):
            first = Stored._make(page[0])
            return Broken(first.sequence, first.stream, "it is beyond the head: no append wrote it")
        break
    return None
