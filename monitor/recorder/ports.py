"""What the recorder needs of the world: somebody to tell how it goes, and rows for those who must hear of a change."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from monitor.audit.batch import OutboxRow
from monitor.core.alert import Change


class Vitals(Protocol):
    """Signs of life, for the probes."""

    def fetched(self) -> None: ...

    def batch_begun(self) -> None: ...

    def committed(self) -> None: ...

    def database_failed(self, reason: str) -> None: ...

    def database_answered(self) -> None: ...


class RecorderObserver(Protocol):
    """What the recorder tells the metrics."""

    def event_seen(self, kind: str, outcome: str) -> None: ...

    def event_recorded_after(self, age_seconds: float) -> None: ...

    def message_quarantined(self, reason: str) -> None: ...

    def heard(self, topic: str, read: int, refused: int, at: datetime) -> None: ...

    def duplicate_dropped(self) -> None: ...

    def keyed_wrongly(self, topic: str) -> None: ...

    def stage_took(self, stage: str, seconds: float) -> None: ...

    def lag_is(self, topic: str, partition: int, messages: int) -> None: ...

    def batch_committed(self, head_sequence: int, at: datetime) -> None: ...

    def assessment_failed(self) -> None: ...

    def alert_changed(self, rule: str, priority: str, change: str) -> None: ...

    def clock_is(self, now: datetime) -> None: ...


class Outbound(Protocol):
    """Outbox rows of what leaves the house; written in the transaction of what they tell of."""

    def of_changes(self, changes: Sequence[Change], now: datetime) -> Sequence[OutboxRow]:
        """Notices and the alert events of changes that happened together."""
