"""A start: what is ready, and with which code a worker ends that cannot start: it says whether another may help."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError

from monitor import running
from monitor.agents.watchdog import Watchdog
from monitor.broker import apply_topics
from monitor.health import Health
from monitor.http import HttpSite
from monitor.metrics import Metrics
from monitor.running import Worker
from monitor.services import Service
from monitor.settings import Settings
from monitor.wiring import Parts
from tests.support.broker import Broker, settings_for
from tests.support.waiting import wait_until
from tests.support.worker import WorkerProcess, worker_process

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


def _parts(settings: Settings, error: Exception, **services: Service) -> Parts:
    health = Health(within=60)
    return Parts(
        settings=settings,
        make_app=lambda _: Unstarted(error),
        health=health,
        watchdog=Watchdog(lambda code, why: pytest.fail(f"{code}: {why}"), 60),
        site=HttpSite(metrics=Metrics(), readiness=health.report, host="127.0.0.1", port=0, token=None),
        services=services,
    )


def test_a_worker_that_starts_before_its_database_ends_so_that_it_is_started_again(
    broker: Broker, tmp_path: Path
) -> None:
    with worker_process(broker, "postgresql://nobody@127.0.0.1:1/none", tmp_path) as worker:
        worker.start()
        assert worker.ended() == AGAIN
        assert "worker ends" in worker.said()


def test_a_worker_that_is_given_no_partition_is_ready(bare_broker: Broker, postgres_url: str, tmp_path: Path) -> None:
    asyncio.run(apply_topics(settings_for(bare_broker), partitions=1, replication=1))
    (tmp_path / "second").mkdir()
    with (
        worker_process(bare_broker, postgres_url, tmp_path, INSTANCE="first") as first,
        worker_process(bare_broker, postgres_url, tmp_path / "second", INSTANCE="second") as second,
    ):
        assert first.run("database", "upgrade").returncode == 0
        first.start_ready()
        second.start_ready()

        def idle() -> list[WorkerProcess]:
            return [each for each in (first, second) if "safety_consumer_lag{" not in each.fetch("metrics")]

        wait_until(lambda: first.ready() and second.ready() and len(idle()) == 1, "one has all, and both are ready")
        assert "safety_ready 1.0" in idle()[0].fetch("metrics")


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


async def test_a_worker_that_waits_for_a_broker_which_says_nothing_ends_when_it_is_told_to() -> None:
    asked = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        asked.set()
        await reader.read()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        parts = _parts(Settings(broker_url=f"kafka://127.0.0.1:{port}"), AssertionError("it was never met"))
        running_worker = asyncio.create_task(Worker(parts).run())
        await asyncio.wait_for(asked.wait(), 10)

        os.kill(os.getpid(), signal.SIGTERM)

        await asyncio.wait_for(running_worker, 5)


class FailsAtItsEnd:
    """A service that fails once it is told to stop."""

    def __init__(self) -> None:
        self._told = asyncio.Event()

    async def run(self) -> None:
        await self._told.wait()
        raise RuntimeError("a mistake of ours")

    def stop(self) -> None:
        self._told.set()


async def test_a_service_that_fails_as_it_ends_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    worker = Worker(_parts(Settings(), AssertionError("it was never met"), relay=FailsAtItsEnd()))
    worker._stopping.set()

    await worker.run()

    assert "the relay failed as it ended" in caplog.text
