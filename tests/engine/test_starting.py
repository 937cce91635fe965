"""A stream engine that does not start ends the worker, with the code that says whether another start may help."""

import asyncio

import pytest
from aiokafka.errors import KafkaConnectionError

from monitor import running
from monitor.agents.watchdog import Watchdog
from monitor.health import Health
from monitor.http import HttpSite
from monitor.metrics import Metrics
from monitor.running import Worker
from monitor.settings import Settings
from monitor.wiring import Parts
from tests.support.broker import Broker, settings_for

AGAIN, MISTAKE = 75, 70


class Unstarted:
    """An engine that fails as it starts."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def start(self) -> None:
        raise self._error

    async def stop(self) -> None:
        raise AssertionError("it was never started")

    async def wait_until_stopped(self) -> None:
        raise AssertionError("it was never started")


def _parts(settings: Settings, error: Exception) -> Parts:
    health = Health(within=60)
    return Parts(
        settings=settings,
        make_app=lambda _: Unstarted(error),
        health=health,
        watchdog=Watchdog(lambda code, why: pytest.fail(f"{code}: {why}"), 60),
        site=HttpSite(metrics=Metrics(), readiness=health.report, host="127.0.0.1", port=0, token=None),
        services={},
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [(KafkaConnectionError("Unable to bootstrap"), AGAIN), (RuntimeError("a mistake of ours"), MISTAKE)],
)
def test_a_worker_whose_engine_does_not_start_ends_at_once(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    def leave(code: int, _why: str) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(running, "leave", leave)
    with pytest.raises(SystemExit) as ended:
        asyncio.run(Worker(_parts(settings_for(broker), error)).run())
    assert ended.value.code == code
