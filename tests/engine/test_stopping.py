"""A worker that is told to stop ends in time, whatever it has in hand, and what it had is neither lost nor twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine.wire import azacitidine, blasts, enrolment, platelets, publish
from tests.support.broker import Broker
from tests.support.postbox import http_postbox, routing_to
from tests.support.postgres import PostgresCluster
from tests.support.proxy import Proxy, proxy_to
from tests.support.reading import assert_results_once, looked_at, recorded_messages, records
from tests.support.waiting import wait_until
from tests.support.worker import WorkerProcess, worker_process

DRAINED, GAVE_UP = 0, 75
LATENCY = 0.01  # seconds that each piece of traffic with the database takes: a batch then takes half a second


@pytest.fixture
def proxy(postgres: PostgresCluster) -> Iterator[Proxy]:
    """What stands between the worker and its database."""
    with proxy_to(postgres.port) as standing:
        yield standing


@contextmanager
def _at_work(broker: Broker, url: str, folder: Path, **others: str) -> Iterator[WorkerProcess]:
    with worker_process(broker, url, folder, **others) as worker:
        assert worker.run("database", "upgrade").returncode == 0
        worker.start_ready()
        yield worker


def _has_a_batch_in_hand(worker: WorkerProcess) -> bool:
    return "a batch has been in hand" in worker.fetch("readyz")


def _through(proxy: Proxy, postgres: PostgresCluster, url: str) -> str:
    return url.replace(f":{postgres.port}/", f":{proxy.port}/")


def test_a_batch_in_hand_is_recorded_first_however_slow_the_database(
    broker: Broker, postgres: PostgresCluster, postgres_url: str, proxy: Proxy, tmp_path: Path
) -> None:
    with _at_work(broker, _through(proxy, postgres, postgres_url), tmp_path) as worker:
        proxy.delay = LATENCY
        sent = publish(worker.settings, [platelets("SH-001", number) for number in range(100)])
        wait_until(lambda: _has_a_batch_in_hand(worker), "a batch is in hand")
        assert worker.stop() == DRAINED
        assert recorded_messages(postgres_url) > 0
        proxy.mend()
        worker.start_ready()
        wait_until(lambda: recorded_messages(postgres_url) == sent, "the rest is read")
        assert worker.stop() == DRAINED
    assert_results_once(postgres_url, 100)


def test_a_database_that_answers_nothing_does_not_keep_the_worker_beyond_its_grace(
    broker: Broker, postgres: PostgresCluster, postgres_url: str, proxy: Proxy, tmp_path: Path
) -> None:
    with _at_work(broker, _through(proxy, postgres, postgres_url), tmp_path, SHUTDOWN_GRACE="3") as worker:
        proxy.hold()
        sent = publish(worker.settings, [platelets("SH-001", number) for number in range(100)])
        wait_until(lambda: _has_a_batch_in_hand(worker), "a batch is in hand")
        assert worker.stop() == GAVE_UP
        assert "the worker did not drain in time" in worker.said()
        proxy.mend()
        worker.start_ready()
        wait_until(lambda: recorded_messages(postgres_url) == sent, "all is read")
        assert worker.stop() == DRAINED
    assert_results_once(postgres_url, 100)


def test_a_notice_on_its_way_is_waited_for_and_does_not_go_twice(broker: Broker, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    with http_postbox() as postbox:
        (tmp_path / "routing.yaml").write_text(routing_to(postbox, "slow"))
        routing = str(tmp_path / "routing.yaml")
        with _at_work(broker, url, tmp_path, CLOCK="system", ROUTING=routing) as worker:
            publish(worker.settings, [enrolment("SH-001"), azacitidine("SH-001", 1), blasts("SH-001", 2)])
            wait_until(lambda: postbox.begun > len(postbox.messages), "a notice is on its way")
            assert worker.stop() == DRAINED
            assert postbox.begun == len(postbox.messages) == _receipts(url)
            worker.start_ready()
            wait_until(lambda: not looked_at(url, lambda log: log.outbox_backlog()), "all notices are told")
            assert worker.stop() == DRAINED
        assert postbox.begun == _receipts(url)
    told = [headers["X-Safety-Message-Id"] for headers in postbox.headers]
    assert len(told) == len(set(told))


def _receipts(url: str) -> int:
    return sum(record.kind == "safety.notice.delivered.v1" and "officer" in record.payload for record in records(url))
