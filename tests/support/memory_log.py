"""The audit log in memory: a fake that the contract suite holds to what the databases do."""

import asyncio
import secrets
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.audit.batch import (
    LONGEST_LEASE,
    LONGEST_WAIT,
    AlertRow,
    Backlog,
    Batch,
    OutboxRow,
    OutboxState,
    Outcome,
    Owner,
    PatientRow,
    Position,
    SourceRow,
    TopicPartition,
    Unanswered,
)
from monitor.audit.hashing import SALT_BYTES
from monitor.audit.positions import advanced, check_owner
from monitor.audit.records import Erasures, Head, Record, StreamHead
from monitor.audit.seal import EMPTY_LOG, EMPTY_STREAM, check_still_at, check_versions, seal, without_duplicates
from monitor.audit.sources import after as heard_after
from monitor.audit.stored import Row, Stored, record_of
from monitor.core.alert import LIVE


@dataclass(frozen=True, slots=True)
class _Lease:
    holder: str
    epoch: int
    until: datetime


class MemoryAuditLog:
    """Keeps what SqlAuditLog keeps, under the same rules; everything is gone with the object."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._stored: list[Stored] = []
        self._head = EMPTY_LOG
        self._streams: dict[str, list[Record]] = defaultdict(list)
        self._keys: set[str] = set()
        self._positions: dict[TopicPartition, Position] = {}
        self._owners: dict[TopicPartition, Owner] = {}
        self._starts: dict[str, int] = {}
        self._epoch = 0
        self._leases: dict[str, _Lease] = {}
        self._patients: dict[str, PatientRow] = {}
        self._alerts: dict[str, AlertRow] = {}
        self._sources: dict[tuple[str, str], SourceRow] = {}
        self._outbox: dict[str, OutboxRow] = {}
        self._claimed_until: dict[str, datetime] = {}
        self._lock = asyncio.Lock()

    async def append(self, batch: Batch) -> list[Record]:
        """See AuditLog.append."""
        async with self._lock:
            check_owner(batch.owner, batch.positions, self._owners, self._starts)
            return self._write(batch)

    def _write(self, batch: Batch) -> list[Record]:
        names = {record.stream for record in batch.records} | set(batch.expected)
        ends = {name: self._end(name) for name in names}
        check_versions(batch.expected, ends)
        new = without_duplicates(batch.records, self._keys)
        salts = secrets.token_bytes(SALT_BYTES * len(new))
        sealed = seal(new, recorded_at=batch.recorded_at, head=self._head, streams=ends, salts=salts)
        self._stored += sealed.stored
        records = [record_of(stored, stored.payload) for stored in sealed.stored]
        self._records += records
        for record in records:
            self._streams[record.stream].append(record)
            if record.dedupe_key is not None:
                self._keys.add(record.dedupe_key)
        self._head = sealed.head
        for place, position in batch.positions.items():
            self._positions[place] = advanced(self._positions.get(place), position)
        self._outbox = {row.row_id: row for row in batch.outbox} | self._outbox
        self._patients |= {row.patient: row for row in batch.patients}
        self._alerts |= {row.alert_id: row for row in batch.alerts}
        heard = heard_after(self._sources, batch.heard, batch.recorded_at)
        self._sources |= {(row.topic, row.source): row for row in heard}
        return records

    def _end(self, stream: str) -> StreamHead:
        records = self._streams.get(stream)
        return StreamHead(records[-1].version, records[-1].record_hash) if records else EMPTY_STREAM

    async def read(
        self, *, after: int = 0, limit: int | None = None, stream: str | None = None
    ) -> AsyncIterator[Record]:
        """See AuditLog.read."""
        source: Iterable[Record] = self._records if stream is None else self._streams.get(stream, [])
        rest = [record for record in source if record.sequence > after]
        for record in rest[:limit]:
            yield record

    async def stored(
        self, *, after: int = 0, until: int | None = None, size: int | None = None
    ) -> AsyncIterator[Sequence[Row]]:
        """See AuditLog.stored."""
        records = self._stored[after:until]
        step = size or len(records) or 1
        for first in range(0, len(records), step):
            yield records[first : first + step]

    async def stream(self, name: str, *, after: int = 0) -> list[Record]:
        """See AuditLog.stream."""
        return list(self._streams.get(name, []))[after:]

    async def erasures(self) -> Erasures:
        """See AuditLog.erasures. Nothing is encrypted here."""
        return Erasures()

    async def head(self) -> Head:
        """See AuditLog.head."""
        return self._head

    async def known(self, dedupe_keys: Collection[str]) -> set[str]:
        """See AuditLog.known."""
        return self._keys.intersection(dedupe_keys)

    async def positions(self) -> dict[TopicPartition, Position]:
        """See AuditLog.positions."""
        return dict(self._positions)

    async def adopt_positions(self, positions: Mapping[TopicPartition, Position], batch: Batch) -> list[Record]:
        """See AuditLog.adopt_positions."""
        async with self._lock:
            records = self._write(batch)
            self._positions |= positions
            return records

    async def start_instance(self, instance: str) -> Owner:
        """See AuditLog.start_instance."""
        self._epoch += 1
        self._starts[instance] = self._epoch
        return Owner(instance, self._epoch)

    async def claim_ownership(self, partitions: Sequence[TopicPartition], owner: Owner) -> None:
        """See AuditLog.claim_ownership."""
        check_owner(owner, (), self._owners, self._starts)
        self._owners |= dict.fromkeys(partitions, owner)

    async def acquire_lease(self, name: str, holder: str, *, ttl: timedelta, now: datetime) -> int | None:
        """See AuditLog.acquire_lease."""
        lease = self._leases.get(name)
        if lease and lease.holder not in {holder, ""} and now < lease.until <= now + LONGEST_LEASE * ttl:
            return None
        epoch = 1 if lease is None else lease.epoch + (lease.holder != holder)
        self._leases[name] = _Lease(holder, epoch, now + ttl)
        return epoch

    async def release_lease(self, name: str, holder: str) -> None:
        """See AuditLog.release_lease."""
        lease = self._leases.get(name)
        if lease and lease.holder == holder:
            self._leases[name] = replace(lease, holder="")

    async def due_patients(
        self, now: datetime, *, partitions: Collection[int] | None = None, limit: int = 500
    ) -> list[PatientRow]:
        """See AuditLog.due_patients."""
        due = [
            (row.due_at, row.patient, row)
            for row in self._patients.values()
            if row.due_at is not None and row.due_at <= now and (partitions is None or row.partition in partitions)
        ]
        return [row for _, _, row in sorted(due, key=lambda item: item[:2])[:limit]]

    async def patients(self) -> list[PatientRow]:
        """See AuditLog.patients."""
        return [self._patients[name] for name in sorted(self._patients)]

    async def patients_past(self, version: int) -> int:
        """See AuditLog.patients_past."""
        return sum(row.version > version for row in self._patients.values())

    async def alerts(self, *, patient: str | None = None, statuses: Collection[str] | None = None) -> list[AlertRow]:
        """See AuditLog.alerts."""
        rows = [
            row
            for row in self._alerts.values()
            if (patient is None or row.patient == patient) and (statuses is None or row.status in statuses)
        ]
        return sorted(rows, key=lambda row: (row.effective_at, row.rule, row.alert_id))

    async def unanswered(self) -> list[Unanswered]:
        """See AuditLog.unanswered."""
        firing: dict[str, list[AlertRow]] = defaultdict(list)
        for row in self._alerts.values():
            if row.status == "firing":
                firing[row.priority].append(row)
        return [
            Unanswered(priority=priority, count=len(rows), oldest_at=min(row.changed_at for row in rows))
            for priority, rows in sorted(firing.items())
        ]

    async def open_by_rule(self) -> dict[str, int]:
        """See AuditLog.open_by_rule."""
        return dict(Counter(row.rule for row in self._alerts.values() if row.status in LIVE))

    async def sources(
        self,
        *,
        heard_from: datetime | None = None,
        heard_until: datetime | None = None,
        read_ever: int = 0,
        limit: int = 1_000,
    ) -> list[SourceRow]:
        """See AuditLog.sources."""
        rows = [
            row
            for row in self._sources.values()
            if row.read_ever >= read_ever
            and (heard_from is None or row.last_at >= heard_from)
            and (heard_until is None or row.last_at < heard_until)
        ]
        rows.sort(key=lambda row: (-row.refused - row.refused_before, row.topic, row.source))
        return rows[:limit]

    async def replace_read_models(
        self,
        patients: Sequence[PatientRow],
        alerts: Sequence[AlertRow],
        sources: Sequence[SourceRow] = (),
        *,
        at: int | None = None,
    ) -> None:
        """See AuditLog.replace_read_models."""
        check_still_at(at, self._head)
        self._sources = {(row.topic, row.source): row for row in sources}
        self._patients = {row.patient: row for row in patients}
        self._alerts = {row.alert_id: row for row in alerts}

    async def claim_outbox(
        self, *, limit: int, lease_for: timedelta, now: datetime, channels: Collection[str] | None = None
    ) -> list[OutboxRow]:
        """See AuditLog.claim_outbox."""
        free = [
            row
            for row in self._outbox.values()
            if row.state is OutboxState.PENDING
            and _over(row.not_before, now)
            and (channels is None or row.channel in channels)
            and _over(self._claimed_until.get(row.row_id, now), now)
        ]
        claimed = []
        for row in sorted(free, key=lambda row: (row.not_before, row.row_id))[:limit]:
            taken = replace(row, attempts=row.attempts + 1)
            self._outbox[row.row_id] = taken
            self._claimed_until[row.row_id] = now + lease_for
            claimed.append(taken)
        return claimed

    async def settle_outbox(self, row_id: str, outcome: Outcome, batch: Batch) -> list[Record]:
        """See AuditLog.settle_outbox."""
        async with self._lock:
            row = self._outbox.get(row_id)
            if row is None:
                raise KeyError(f"no such outbox row: {row_id}")
            records = self._write(batch)
            if outcome.state is OutboxState.DELIVERED:
                self._outbox[row_id] = replace(row, state=OutboxState.DELIVERED)
            elif row.state is OutboxState.PENDING and row.attempts == outcome.attempt:
                retry_at = outcome.retry_at or row.not_before
                self._outbox[row_id] = replace(row, state=outcome.state, not_before=retry_at)
                self._claimed_until.pop(row_id, None)
            return records

    async def outbox_backlog(self) -> list[Backlog]:
        """See AuditLog.outbox_backlog."""
        waiting: dict[str, list[OutboxRow]] = defaultdict(list)
        for row in self._outbox.values():
            if row.state is OutboxState.PENDING:
                waiting[row.channel].append(row)
        return [
            Backlog(
                channel=channel,
                pending=len(rows),
                oldest_at=min(row.created_at for row in rows),
                urgent_at=min((row.created_at for row in rows if row.priority == "high"), default=None),
            )
            for channel, rows in sorted(waiting.items())
        ]

    async def close(self) -> None:
        """Nothing to let go of."""


def _over(until: datetime, now: datetime) -> bool:
    return until <= now or until > now + LONGEST_WAIT
