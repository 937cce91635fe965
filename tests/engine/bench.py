"""A recorder on the log in memory, with a clock that the test turns."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitor.audit.batch import OutboxRow
from monitor.audit.records import Record
from monitor.audit.verify import verify
from monitor.core.alert import Change
from monitor.events.catalogue import TOPICS
from monitor.health import Health
from monitor.metrics import Metrics
from monitor.protocol.model import Protocol
from monitor.protocol.timeline import Timeline
from monitor.recorder.activating import Files
from monitor.recorder.inputs import Input
from monitor.recorder.recorder import Recorder
from tests.engine.wire import START, event
from tests.support.memory_log import MemoryAuditLog

PROTOCOL = Protocol.load()
PLACES = [(topic, partition) for topic in TOPICS for partition in range(2)]


class Silence:
    """Tells nobody."""

    def of_changes(self, _changes: Sequence[Change], _now: datetime) -> tuple[OutboxRow, ...]:
        return ()


@dataclass
class Hands:
    """A clock with hands."""

    at: datetime = START + timedelta(days=1)

    def now(self) -> datetime:
        return self.at


@dataclass
class Bench:
    """One instance of the daemon without its broker: messages are put in by hand."""

    log: MemoryAuditLog = field(default_factory=MemoryAuditLog)
    hands: Hands = field(default_factory=Hands)
    metrics: Metrics = field(default_factory=Metrics)
    events_clock: bool = False
    instance: str = "bench"
    max_message_bytes: int = 262_144
    offsets: dict[tuple[str, int], int] = field(default_factory=dict)

    async def start(self) -> Recorder:
        """A new start of the instance, with all partitions."""
        recorder = Recorder(
            log=self.log,
            files=Files(Timeline(PROTOCOL)),
            clock=self.hands,
            topics=TOPICS,
            events_clock=self.events_clock,
            owner=await self.log.start_instance(self.instance),
            outbound=Silence(),
            observer=self.metrics,
            vitals=Health(within=30),
            wake=lambda: None,
            patience=1,
            max_message_bytes=self.max_message_bytes,
            cached_patients=10,
            cached_facts=1_000,
        )
        await recorder.assigned(PLACES)
        return recorder

    def sent(self, topic: str, *values: bytes, partition: int = 0) -> list[Input]:
        """Messages as the broker would hold them, at the next offsets of a partition."""
        place = (topic, partition)
        first = self.offsets.get(place, 0)
        self.offsets[place] = first + len(values)
        return [Input(topic, partition, first + number, None, value) for number, value in enumerate(values)]

    async def tell_time(self, recorder: Recorder, now: datetime, *topics: str) -> None:
        """The events clock's message in these topics (all, if none is named)."""
        data: dict[str, object] = {"now": now.isoformat()}
        message = event("safety.clock.advanced.v1", "none", f"clock-{now}", now, data)
        for topic in topics or TOPICS:
            await recorder.record(self.sent(topic, message))

    async def records(self, kind: str) -> list[Record]:
        """The records of one kind."""
        return [record async for record in self.log.read() if record.kind == kind]

    async def raised(self) -> list[str]:
        """The rules of the alerts that are live."""
        return sorted(row.rule for row in await self.log.alerts(statuses=("firing", "acknowledged", "shelved")))

    async def whole(self) -> bool:
        """What `verify` says of the log."""
        verdict = await verify(self.log, PROTOCOL)
        return verdict.broken is None and not verdict.differs and not verdict.undecided
