"""Without its broker the worker says that it is not ready, and still ends in time when it is told to."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

from monitor.broker import apply_topics
from monitor.embedded import embedded_broker
from tests.engine.wire import platelets, put
from tests.support.broker import settings_for
from tests.support.reading import recorded_messages
from tests.support.waiting import wait_until
from tests.support.worker import worker_process


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
