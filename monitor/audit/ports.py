"""The audit log as the rest of the program sees it."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from monitor.audit.batch import (
    AlertRow,
    Backlog,
    Batch,
    OutboxRow,
    Outcome,
    Owner,
    PatientRow,
    Position,
    SourceRow,
    TopicPartition,
    Unanswered,
)
from monitor.audit.records import Erasures, Head, Record
from monitor.audit.stored import Row


class Streams(Protocol):
    """Where the streams of a log can be read: the log itself, or an export of it."""

    async def stream(self, name: str) -> list[Record]:
        """All records of one stream, in order."""


class AuditLog(Protocol):
    """The append-only log and the tables that live in its transactions.

    Every method raises DatabaseUnavailable when the store cannot be reached in time, SchemaMissing when it has not been
    made. No method reads a clock: `now` comes in.
    """

    async def append(self, batch: Batch) -> list[Record]:
        """Write a batch in one transaction and return the records made, duplicates left out.

        Raises VersionConflict, Fenced.
        """

    def read(self, *, after: int = 0, limit: int | None = None, stream: str | None = None) -> AsyncIterator[Record]:
        """The records past sequence `after`, in order, of the whole log or of one stream."""

    def stored(
        self, *, after: int = 0, until: int | None = None, size: int | None = None
    ) -> AsyncIterator[Sequence[Row]]:
        """Pages of at most `size` records past `after` up to `until`, column by column. Raises RecordUnreadable."""

    async def stream(self, name: str, *, after: int = 0) -> list[Record]:
        """All records of one stream past a version, in order."""

    async def erasures(self) -> Erasures:
        """The records whose keys are not there, and the records of redactions."""

    async def head(self) -> Head:
        """The end of the log."""

    async def known(self, dedupe_keys: Collection[str]) -> set[str]:
        """Those of the keys that are on the log."""

    async def positions(self) -> dict[TopicPartition, Position]:
        """How far each (topic, partition) is on the log."""

    async def adopt_positions(self, positions: Mapping[TopicPartition, Position], batch: Batch) -> list[Record]:
        """Put positions where they are said to be, forward or back, with the record of it: a topic was made anew."""

    async def start_instance(self, instance: str) -> Owner:
        """A new start of an instance: draws a higher epoch, which ends the start before it."""

    async def claim_ownership(self, partitions: Sequence[TopicPartition], owner: Owner) -> None:
        """Make `owner` the one who may write these partitions' positions.

        Raises Fenced if a newer start of its instance is about.
        """

    async def acquire_lease(self, name: str, holder: str, *, ttl: timedelta, now: datetime) -> int | None:
        """Take or renew a named lease: its epoch, or None while another holds it. A new holder raises the epoch.

        An end that lies further ahead than it can (LONGEST_LEASE) counts as past: its holder's clock was wrong.
        """

    async def release_lease(self, name: str, holder: str) -> None:
        """Give a lease up before its end; nothing happens if another holds it."""

    async def due_patients(
        self, now: datetime, *, partitions: Collection[int] | None = None, limit: int = 500
    ) -> list[PatientRow]:
        """Patients with something to do at or before `now`, the longest due first."""

    async def patients(self) -> list[PatientRow]:
        """The read model of all patients, by name."""

    async def patients_past(self, version: int) -> int:
        """How many patients' streams hold more than so many records."""

    async def alerts(self, *, patient: str | None = None, statuses: Collection[str] | None = None) -> list[AlertRow]:
        """The read model of alerts, by (effective_at, rule, alert_id)."""

    async def unanswered(self) -> list[Unanswered]:
        """The firing alerts, counted by priority."""

    async def open_by_rule(self) -> dict[str, int]:
        """How many alerts are not over, of patients and of the system, by rule."""

    async def sources(
        self,
        *,
        heard_from: datetime | None = None,
        heard_until: datetime | None = None,
        read_ever: int = 0,
        limit: int = 1_000,
    ) -> list[SourceRow]:
        """The read model of sources: those that last sent at or after `heard_from` and before `heard_until`, and of
        whom at least `read_ever` messages could be read.

        Those with most refused first, then by topic and source; more than `limit` are left out.
        """

    async def replace_read_models(
        self,
        patients: Sequence[PatientRow],
        alerts: Sequence[AlertRow],
        sources: Sequence[SourceRow] = (),
        *,
        at: int | None = None,
    ) -> None:
        """Put these rows in the place of all rows of the read models.

        `at`: the sequence they were made at; raises VersionConflict, with nothing replaced, if the log has gone on.
        """

    async def claim_outbox(
        self, *, limit: int, lease_for: timedelta, now: datetime, channels: Collection[str] | None = None
    ) -> list[OutboxRow]:
        """Take rows that may be sent now, oldest first, for `lease_for`; a row whose lease ran out comes again.

        A wait that is longer than any can be (LONGEST_WAIT) counts as over: a clock was wrong when it was written.
        """

    async def settle_outbox(self, row_id: str, outcome: Outcome, batch: Batch) -> list[Record]:
        """Write an attempt's receipt and its row in one transaction.

        The receipt is written whatever became of the lease; the row follows it unless a later claim or a settled
        delivery stands, for what was sent was sent.
        """

    async def outbox_backlog(self) -> list[Backlog]:
        """What waits, by channel."""

    async def close(self) -> None:
        """Let go of connections and locks."""
