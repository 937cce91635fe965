"""The record that is to be erased, and every copy of it: on the log, in the quarantine, in the outbox."""

from typing import Final

from monitor.audit import kinds
from monitor.audit.hashing import SCHEME_ENCRYPTED
from monitor.audit.log import SqlAuditLog
from monitor.audit.opening import UNREADABLE
from monitor.audit.records import Record
from monitor.errors import UsageError
from monitor.events.codec import restore
from monitor.events.envelope import Received
from monitor.notify.routing import QUARANTINE_CHANNEL

NOT_ENCRYPTED: Final = "this log was begun without encryption: nothing can be taken out of it any more (docs/audit.md)"


async def record_at(log: SqlAuditLog, sequence: int) -> Record:
    """The record of this sequence. Raises UsageError where there is none, or none that can be read."""
    await check_encrypted(log)
    async for record in log.read(after=sequence - 1, limit=1):
        if record.sequence == sequence and record.payload == UNREADABLE and not record.gone:
            raise UsageError(f"record {sequence} cannot be read: run `safety-monitor verify`")
        if record.sequence == sequence:
            return record
    raise UsageError(f"the log has no record {sequence}")


async def check_encrypted(log: SqlAuditLog) -> None:
    """Raises UsageError for a log that was begun without encryption."""
    async for first in log.read(limit=1):
        if first.scheme != SCHEME_ENCRYPTED:
            raise UsageError(NOT_ENCRYPTED)


async def twins(log: SqlAuditLog, record: Record) -> list[Record]:
    """The record of the same message in the quarantine: it was refused, or has been read again since."""
    if record.origin is None:
        return []
    quarantined = await log.stream(kinds.quarantine_stream(record.origin.topic))
    return [each for each in quarantined if each.origin == record.origin and not each.gone]


def same(one: Record, other: Record) -> bool:
    """The same record, the same message, or the same content delivered again."""
    if one.gone:
        return False
    if one.sequence == other.sequence or (one.origin is not None and one.origin == other.origin):
        return True
    return one.kind == other.kind and _content(one) is not None and _content(one) == _content(other)


def copy_of(record: Record) -> str:
    """How the outbox names a refused message's copy: by the channel, then where it came from."""
    origin = record.origin
    return f"{QUARANTINE_CHANNEL}/{origin.topic}/{origin.partition}/{origin.offset}/" if origin else ""


def _content(record: Record) -> str | None:
    if kinds.patient_of(record.stream) is None or record.kind in (kinds.CLOCK_TICKED, kinds.RECORD_REDACTED):
        return None
    event = restore(record.payload)
    return event.content if isinstance(event, Received) else None
