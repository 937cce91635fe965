"""What the worker's log says is what `simulate` says, over all histories, whatever the database and the faults."""

import json
from pathlib import Path

import pytest

from monitor.core.times import show
from tests.engine.histories import essence, latest, merged, simulated
from tests.engine.wire import publish
from tests.support.broker import Broker
from tests.support.reading import recorded_messages
from tests.support.waiting import wait_until
from tests.support.worker import worker_process


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'log.db'}"
    return str(request.getfixturevalue("postgres_url"))


def test_a_back_fill_through_a_kill_agrees_with_the_simulation(
    broker: Broker, database_url: str, tmp_path: Path
) -> None:
    lines = merged()
    half = len(lines) // 2
    with worker_process(broker, database_url, tmp_path) as worker:
        assert worker.run("database", "upgrade").returncode == 0
        worker.start_ready()
        sent = publish(worker.settings, lines[:half])
        wait_until(lambda: recorded_messages(database_url) > sent // 2, "the worker is in the middle of it")
        worker.kill()
        worker.start_ready()
        sent += publish(worker.settings, lines[half:])
        wait_until(lambda: recorded_messages(database_url) == sent, "all messages are read")
        assert worker.stop() == 0
        checked = worker.run("verify")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        replayed = worker.run("replay", "--as-of", show(latest(lines)), "--format", "json")
    assert replayed.returncode == 0, replayed.stderr
    assert essence(json.loads(replayed.stdout)) == essence(simulated(lines, until=latest(lines)))
