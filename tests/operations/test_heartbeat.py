"""Signs of life to a service outside: a real one on loopback, and what keeps a sign back."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import aiohttp
import pytest
from aiohttp import web

from monitor.embedded import free_port
from monitor.health import Health
from monitor.metrics import Metrics
from monitor.operations import heartbeat
from monitor.operations.heartbeat import Heartbeat, Overdue
from monitor.operations.overdue import Readiness, checkpoints_made, notices_waiting, patients_due
from monitor.settings import Settings
from tests.audit.given import START, at, batch, notice, patient
from tests.engine.bench import Hands
from tests.support.memory_log import MemoryAuditLog

AFTER = timedelta(minutes=5)
SECRET = "a-secret-id"


@dataclass
class Outside:
    """The service outside: counts what reaches it, and answers as the test says."""

    signs: int = 0
    status: int = 200
    url: str = ""
    third: asyncio.Event = field(default_factory=asyncio.Event)
    paths: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.signs += 1
        self.paths.append(request.path)
        if self.signs >= 3:
            self.third.set()
        return web.Response(status=self.status)


@asynccontextmanager
async def outside() -> AsyncIterator[Outside]:
    service = Outside()
    application = web.Application()
    application.router.add_get("/{id}", service.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}/{SECRET}"
    try:
        yield service
    finally:
        await runner.cleanup()


async def nothing(_now: datetime) -> str | None:
    return None


async def something(_now: datetime) -> str | None:
    return "a deadline has passed"


async def mistaken(_now: datetime) -> str | None:
    raise ZeroDivisionError


def beating(url: str, metrics: Metrics, **overdue: Overdue) -> Heartbeat:
    return Heartbeat(url, overdue or {"all": nothing}, Hands(), metrics, every=60)


def last(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("safety_heartbeat_timestamp_seconds")


async def test_a_sign_reaches_the_service_while_nothing_is_overdue() -> None:
    metrics = Metrics()
    async with outside() as service, aiohttp.ClientSession() as session:
        assert await beating(service.url, metrics).beat(session)
        assert service.paths == [f"/{SECRET}"]
        assert last(metrics) == Hands().at.timestamp()


@pytest.mark.parametrize("reason", [something, mistaken])
async def test_nothing_is_sent_while_something_is_overdue_or_cannot_be_told(
    reason: Overdue, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics()
    async with outside() as service, aiohttp.ClientSession() as session:
        assert not await beating(service.url, metrics, relay=nothing, clock=reason).beat(session)
        assert service.signs == 0
    assert last(metrics) == 0
    assert "no sign of life is sent: clock:" in caplog.text


@pytest.mark.parametrize("status", [404, 503])
async def test_a_refused_sign_is_no_sign(status: int, caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    async with outside() as service, aiohttp.ClientSession() as session:
        service.status = status
        assert not await beating(service.url, metrics).beat(session)
    assert last(metrics) == 0
    assert f"HTTP {status}" in caplog.text


async def test_a_service_that_is_not_there_ends_nothing_and_its_address_is_not_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    beat = beating(f"http://127.0.0.1:{free_port()}/{SECRET}", Metrics())
    async with aiohttp.ClientSession() as session:
        assert not await beat.beat(session)
        assert not await beat.beat(session)
    said = [record.getMessage() for record in caplog.records if record.name == heartbeat.__name__]
    assert len(said) == 1
    assert SECRET not in caplog.text


def test_the_address_is_a_secret_of_the_settings() -> None:
    settings = Settings.model_validate({"heartbeat_url": f"https://hc.example.org/{SECRET}"})
    assert SECRET not in repr(settings)


async def test_it_runs_until_it_is_stopped() -> None:
    async with outside() as service:
        beat = Heartbeat(service.url, {"all": nothing}, Hands(), Metrics(), every=0.01)
        task = asyncio.create_task(beat.run())
        async with asyncio.timeout(30):
            await service.third.wait()
        beat.stop()
        await task


class TestWhatIsOverdue:
    async def test_a_worker_that_is_not_ready_for_longer_than_restarts_take(self) -> None:
        health = Health(within=30)
        ready = Readiness(health.report, AFTER)
        health.started()
        health.fetched()
        assert await ready.overdue(START) is None
        health.stopping()
        assert await ready.overdue(START + AFTER) is None
        assert "starting or stopping" in (await ready.overdue(START + AFTER + timedelta(seconds=1)) or "")
        health.started()
        assert await ready.overdue(START + timedelta(hours=1)) is None

    async def test_a_worker_that_was_never_ready_for_it_may_fall_over_at_each_start(self) -> None:
        health = Health(within=30)
        ready = Readiness(health.report, AFTER)
        assert "starting or stopping" in (await ready.overdue(START) or "")
        health.started()
        health.fetched()
        assert await ready.overdue(START + timedelta(seconds=3)) is None

    async def test_a_deadline_that_nobody_looked_at(self) -> None:
        log = MemoryAuditLog()
        await log.append(batch(patients=(patient(due_at=at(0)),)))
        overdue = patients_due(log, AFTER)
        assert await overdue(at(4)) is None
        assert await overdue(at(6)) is not None

    async def test_a_notice_of_high_priority_that_waits_and_not_one_of_low(self) -> None:
        log = MemoryAuditLog()
        await log.append(batch(outbox=(notice("n-1", priority="low"), notice("n-2", channel="alert-topic"))))
        overdue = notices_waiting(log, AFTER)
        assert await overdue(at(60)) is None
        await log.append(batch(outbox=(notice("n-3"),)))
        assert await overdue(at(4)) is None
        assert await overdue(at(6)) == "a notice of high priority has not been delivered by mail"

    async def test_an_end_of_the_log_that_nobody_signed(self) -> None:
        class Behind:
            async def behind_since(self) -> datetime | None:
                return START

        overdue = checkpoints_made(Behind(), AFTER)
        assert await overdue(at(4)) is None
        assert await overdue(at(6)) is not None
