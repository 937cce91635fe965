"""The database away for five seconds: the worker waits with what it has in hand, says so, and loses nothing."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engine.wire import platelets, publish
from tests.support.broker import Broker
from tests.support.postgres import PostgresCluster
from tests.support.reading import assert_results_once, recorded_messages
from tests.support.waiting import wait_until
from tests.support.worker import worker_process

OUTAGE = 5.0  # seconds


@dataclass(frozen=True)
class Breakable:
    """A database and a way to take it from under the worker."""

    url: str
    broken: Callable[[], AbstractContextManager[None]]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Breakable:
    """An empty database of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "log.db"
        return Breakable(f"sqlite:///{path}", lambda: _locked(path))
    cluster: PostgresCluster = request.getfixturevalue("postgres")
    return Breakable(cluster.database(), lambda: _stopped(cluster))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Another process holds the file's only place for a writer."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as intruder:
        intruder.execute("BEGIN IMMEDIATE")
        yield
        intruder.execute("ROLLBACK")


@contextmanager
def _stopped(cluster: PostgresCluster) -> Iterator[None]:
    """The server is down."""
    cluster.stop("fast")
    try:
        yield
    finally:
        cluster.start()


def test_five_seconds_without_the_database_lose_nothing(broker: Broker, database: Breakable, tmp_path: Path) -> None:
    with worker_process(broker, database.url, tmp_path) as worker:
        assert worker.run("database", "upgrade").returncode == 0
        worker.start_ready()
        sent = publish(worker.settings, [platelets("SH-001", number) for number in range(100)])
        wait_until(lambda: recorded_messages(database.url) == sent, "the first messages are on the log")
        with database.broken():
            until = time.monotonic() + OUTAGE
            sent += publish(worker.settings, [platelets("SH-001", number) for number in range(100, 200)])
            wait_until(lambda: not worker.ready(), "readiness is red")
            wait_until(lambda: time.monotonic() > until, "the outage is over")
        wait_until(worker.ready, "the worker is ready again")
        wait_until(lambda: recorded_messages(database.url) == sent, "the later messages are on the log")
        assert worker.stop() == 0
    assert_results_once(database.url, 200)
