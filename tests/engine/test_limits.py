"""Limits on the way in: what a broker may answer at once, what waits for an agent, what one transaction takes."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from monitor.agents.intake import parts
from monitor.agents.leave import leave
from monitor.agents.watchdog import Watchdog
from monitor.app import build_app
from monitor.audit import spool
from monitor.audit.acts import act
from monitor.audit.spool import Spool
from monitor.errors import DatabaseUnavailable
from monitor.settings import BrokerKind, Settings
from tests.engine.bench import Bench
from tests.engine.wire import START


@dataclass
class Event:
    """An event of faust, as far as its size is asked."""

    value: bytes | None

    @property
    def message(self) -> "Event":
        return self


def sizes(events: list[Event], limit: int) -> list[list[int]]:
    return [[len(each.message.value or b"") for each in part] for part in parts(events, limit)]  # type: ignore[arg-type]


def test_a_batch_is_recorded_in_parts_of_so_many_bytes() -> None:
    events = [Event(b"x" * size) for size in (40, 40, 40, 100, 300, 1)]
    assert sizes(events, 100) == [[40, 40], [40], [100], [300], [1]]
    assert sizes([Event(None), Event(b"x")], 100) == [[0, 1]]


async def test_the_engine_is_given_the_limits_of_the_settings() -> None:
    settings = Settings.model_validate(
        {"broker_kind": BrokerKind.KAFKA, "buffered_messages": 7, "partition_fetch_bytes": 70, "fetch_bytes": 700}
    )
    recorder = await Bench().start()
    app = build_app(settings, recorder, leave, Watchdog(leave, 60))
    assert (app.conf.stream_buffer_maxsize, app.conf.consumer_max_fetch_size) == (7, 70)
    assert app.transport.Consumer.fetch_bytes == 700  # type: ignore[attr-defined]


def test_records_that_wait_beside_a_log_are_refused_when_nobody_takes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "MAX_BYTES", 300)
    waiting = Spool(tmp_path / "log.db")
    record = act("safety.log.read.v1", {"command": "alerts"}, actor="so-1", at=START)
    waiting.add(record)
    with pytest.raises(DatabaseUnavailable, match="is full"):
        waiting.add(record)
