"""A worker that cannot work says why in one line and ends."""

from pathlib import Path

import pytest

from monitor.broker import ALL_TOPICS
from tests.engine.wire import platelets, put
from tests.support.broker import Broker, any_broker, settings_for
from tests.support.reading import recorded_messages
from tests.support.waiting import wait_until
from tests.support.worker import worker_process


def test_postgresql_without_a_schema_is_refused_with_the_command_that_makes_it(
    broker: Broker, postgres_url: str, tmp_path: Path
) -> None:
    with worker_process(broker, postgres_url, tmp_path) as worker:
        refused = worker.run("worker")
    assert refused.returncode == 1
    assert "safety-monitor database upgrade" in refused.stderr.splitlines()[-1]


def test_missing_topics_are_named_with_the_command_that_makes_them(bare_broker: Broker, tmp_path: Path) -> None:
    with worker_process(bare_broker, f"sqlite:///{tmp_path / 'log.db'}", tmp_path) as worker:
        refused = worker.run("worker")
        assert refused.returncode == 2
        assert "safety-monitor topics apply" in refused.stderr.splitlines()[-1]
        assert f"{len(ALL_TOPICS)} topics made" in worker.run("topics", "apply", "--partitions", "2").stdout
        assert f"0 topics made, {len(ALL_TOPICS)} there already" in worker.run("topics", "apply").stdout


def test_a_topic_made_anew_under_a_log_that_knows_it_stops_the_worker(
    broker: Broker, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    with worker_process(broker, url, tmp_path) as worker:
        worker.start_ready()
        put(worker.settings, "safety.lab", [(b"SH-001", platelets("SH-001", number)) for number in range(5)])
        wait_until(lambda: recorded_messages(url) == 5, "the messages are on the log")
        assert worker.stop() == 0
    with any_broker(request) as anew, worker_process(anew, url, tmp_path) as worker:
        assert worker.run("topics", "apply", "--partitions", "3").returncode == 0
        put(settings_for(anew), "safety.lab", [(b"SH-001", platelets("SH-001", 99))])
        worker.start()
        assert worker.ended() == 78
        assert "made anew" in worker.said()
