"""Without its broker the worker says that it is not ready, lets time pass, and ends in time when it is told to."""

import asyncio
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from monitor.broker import apply_topics
from monitor.embedded import embedded_broker
from tests.core.charts import acute, azacitidine, chronic, decided, enrolled, on_day
from tests.engine.wire import platelets, publish, put
from tests.support.broker import settings_for
from tests.support.postbox import http_postbox, routing_to
from tests.support.reading import looked_at, recorded_messages
from tests.support.waiting import wait_until
from tests.support.worker import worker_process

STOPPED = [enrolled(), azacitidine(95), acute(110, skin=3), decided(110.2, "hold")]  # on D+110


def test_a_worker_whose_broker_is_gone_is_not_ready_and_ends_when_told(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    with ExitStack() as mortal:
        broker = mortal.enter_context(embedded_broker())
        asyncio.run(apply_topics(settings_for(broker), 3, 1))
        with worker_process(broker, url, tmp_path, READY_WITHIN="2", SHUTDOWN_GRACE="4") as worker:
            worker.start_ready()
            put(worker.settings, "safety.lab", [(b"SH-001", platelets("SH-001", 1))])
            wait_until(lambda: recorded_messages(url) == 1, "the message is on the log")
            mortal.close()
            wait_until(lambda: not worker.ready(), "readiness is red")
            assert worker.stop() in {0, 75}
    assert recorded_messages(url) == 1


def test_a_worker_that_starts_before_its_broker_waits_for_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    with embedded_broker() as first:
        port = first.port
    with worker_process(first, url, tmp_path) as worker:
        worker.start()
        wait_until(lambda: "waiting for the broker" in worker.said(), "it says what it waits for")
        with embedded_broker(port) as broker:
            asyncio.run(apply_topics(settings_for(broker), 3, 1))
            wait_until(worker.ready, "the worker is ready")
            assert worker.stop() == 0


def test_a_window_closes_and_its_notice_goes_without_the_broker_and_without_the_worker_that_held_the_leases(
    postgres_url: str, tmp_path: Path
) -> None:
    course = [*STOPPED, acute(120), chronic(121)]  # the window is open from D+140 to D+170
    (tmp_path / "second").mkdir()
    skew, routing = tmp_path / "skew", tmp_path / "routing.yaml"
    skew.write_text(_until(150))
    with ExitStack() as stack, ExitStack() as mortal:
        broker = mortal.enter_context(embedded_broker())
        asyncio.run(apply_topics(settings_for(broker), 3, 1))
        postbox = stack.enter_context(http_postbox())
        routing.write_text(routing_to(postbox))
        others = {"CLOCK": "system", "ROUTING": str(routing)}
        holder = stack.enter_context(worker_process(broker, postgres_url, tmp_path, INSTANCE="holder", **others))
        heir = stack.enter_context(worker_process(broker, postgres_url, tmp_path / "second", INSTANCE="heir", **others))
        holder.skew = heir.skew = skew
        assert holder.run("database", "upgrade").returncode == 0
        holder.start_ready()
        publish(holder.settings, course)
        wait_until(lambda: _window(postgres_url) == "open", "the window is open")
        wait_until(lambda: not looked_at(postgres_url, lambda log: log.outbox_backlog()), "and all are told so")
        mortal.close()
        heir.start()
        wait_until(lambda: "waiting for the broker" in heir.said(), "the heir is up, without the broker")
        holder.kill()
        told = len(postbox.messages)
        skew.write_text(_until(175))
        wait_until(lambda: _window(postgres_url) == "expired", "the window is closed")
        wait_until(lambda: len(postbox.messages) > told, "somebody is told")
        assert any("window" in str(message).lower() for message in postbox.messages[told:])
        assert heir.stop() == 0


def _until(day: float) -> str:
    """By how many seconds a clock is off that says D+`day`."""
    return str((on_day(day) - datetime.now(UTC)).total_seconds())


def _window(url: str) -> str | None:
    patients = looked_at(url, lambda log: log.patients())
    return patients[0].restart_window if patients else None
