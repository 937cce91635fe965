"""The real recorder over a log, fed with a file of events as the worker would be: with either clock, no broker."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from monitor.audit.ports import AuditLog
from monitor.core.simulation import Simulation
from monitor.events.catalogue import TOPICS, TYPES
from monitor.protocol.model import Protocol
from monitor.protocol.timeline import Timeline
from monitor.recorder.activating import Files
from monitor.recorder.inputs import Input
from monitor.recorder.recorder import Recorder

SCENARIOS = sorted((Path(__file__).parents[1] / "scenarios").glob("*.events.jsonl"))
PROTOCOL = Protocol.load(None)
NONE_KEPT = Files(Timeline(PROTOCOL))
LATE = datetime(1, 1, 3, tzinfo=UTC)


class Silent:
    """Whoever the recorder tells: hears and says nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_args, **_kwargs: ()


class HandClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = LATE

    def now(self) -> datetime:
        return self.at


async def recorder(
    log: AuditLog,
    clock: HandClock,
    *,
    events_clock: bool,
    files: Files = NONE_KEPT,
    outbound: Any = None,
    max_message_bytes: int = 262_144,
    instance: str = "test",
    partition: int = 0,
) -> Recorder:
    made = Recorder(
        log=log,
        files=files,
        clock=clock,
        topics=TOPICS,
        events_clock=events_clock,
        owner=await log.start_instance(instance),
        outbound=outbound or Silent(),
        observer=Silent(),
        vitals=Silent(),
        wake=lambda: None,
        patience=1,
        max_message_bytes=max_message_bytes,
        cached_patients=100,
        cached_facts=10_000,
    )
    await made.assigned([(topic, partition) for topic in TOPICS])
    return made


async def record_by_events_clock(log: AuditLog, lines: Sequence[bytes], *, at_once: int = 7) -> None:
    """As `publish` into a worker with the events clock: the clock of every topic told at each change of day."""
    target = await recorder(log, HandClock(), events_clock=True)
    inputs = iter(_with_clock(lines))
    while batch := list(islice(inputs, at_once)):
        await target.record(batch)


async def record_by_system_clock(log: AuditLog, lines: Sequence[bytes]) -> None:
    """As facts come in life: each when it is issued, the clock ticking in between."""
    clock = HandClock()
    target = await recorder(log, clock, events_clock=False)
    for message in messages_of(lines):
        clock.at = max(clock.at, time_of(message.value) or clock.at)
        await target.tick(clock.at)
        await target.record([message])


def simulated(lines: Sequence[bytes], until: datetime) -> dict[str, Any]:
    """What `simulate` gives."""
    simulation = Simulation(PROTOCOL, until=until)
    for line in lines:
        simulation.read(line)
    return simulation.result()


def messages_of(lines: Sequence[bytes]) -> Iterator[Input]:
    return _numbered((topic_of(line), line) for line in lines)


def lines_of(scenario: Path) -> list[bytes]:
    return scenario.read_bytes().splitlines()


def latest_time(lines: Sequence[bytes]) -> datetime:
    return max(at for line in lines if (at := time_of(line)) is not None)


def time_of(line: bytes) -> datetime | None:
    try:
        return datetime.fromisoformat(json.loads(line)["time"]).astimezone(UTC)
    except (ValueError, KeyError, TypeError):
        return None


def topic_of(line: bytes) -> str:
    try:
        return TYPES[json.loads(line)["type"]].topic
    except (ValueError, KeyError, TypeError):
        return "safety.lab"


def agreed(result: dict[str, Any]) -> dict[str, Any]:
    """What a replay and a simulation must agree on: states, windows, counts, live alerts as (rule, effective_at)."""
    return {
        name: {
            "states": (patient["protocol_state"], patient["treatment_state"]),
            "window": patient["restart_window"],
            "events": patient["events"],
            "alerts": sorted(
                (alert["rule"], alert["effective_at"])
                for alert in patient["alerts"]
                if alert["status"] not in {"withdrawn", "resolved"}
            ),
        }
        for name, patient in result["patients"].items()
    }


def _with_clock(lines: Sequence[bytes]) -> Iterator[Input]:
    def messages() -> Iterator[tuple[str, bytes]]:
        clock: datetime | None = None
        for line in lines:
            at = time_of(line)
            if at is not None and clock is not None and at.date() > clock.date():
                yield from _tell(at)
            clock = max(filter(None, (clock, at)), default=None)
            yield topic_of(line), line
        if clock is not None:
            yield from _tell(clock)

    return _numbered(messages())


def _tell(now: datetime) -> Iterator[tuple[str, bytes]]:
    stamp = now.isoformat()
    event = {"specversion": "1.0", "id": f"clock-{stamp}", "source": "/publish", "type": "safety.clock.advanced.v1"}
    value = json.dumps(event | {"time": stamp, "data": {"now": stamp}}).encode()
    return ((topic, value) for topic in TOPICS)


def _numbered(messages: Iterator[tuple[str, bytes]]) -> Iterator[Input]:
    offsets: dict[str, int] = defaultdict(int)
    for topic, value in messages:
        yield Input(topic=topic, partition=0, offset=offsets[topic], key=None, value=value)
        offsets[topic] += 1
