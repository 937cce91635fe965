"""Two workers share the partitions; one comes and goes while events arrive."""

import json
from pathlib import Path

from monitor.core.times import show
from tests.engine.histories import essence, latest, merged, simulated
from tests.engine.wire import publish
from tests.support.broker import Broker
from tests.support.reading import recorded_messages
from tests.support.waiting import wait_until
from tests.support.worker import worker_process


def test_a_worker_that_joins_and_one_that_dies_lose_nothing(broker: Broker, postgres_url: str, tmp_path: Path) -> None:
    lines = merged(seed=2)
    third = len(lines) // 3
    (tmp_path / "second").mkdir()
    with (
        worker_process(broker, postgres_url, tmp_path, INSTANCE="first") as first,
        worker_process(broker, postgres_url, tmp_path / "second", INSTANCE="second") as second,
    ):
        assert first.run("database", "upgrade").returncode == 0
        first.start_ready()
        sent = publish(first.settings, lines[:third])
        second.start_ready()
        sent += publish(first.settings, lines[third : 2 * third])
        wait_until(lambda: recorded_messages(postgres_url) > sent // 2, "they are in the middle of it")
        first.kill()
        sent += publish(first.settings, lines[2 * third :])
        wait_until(lambda: recorded_messages(postgres_url) == sent, f"all messages are read; second:\n{second.said()}")
        assert second.stop() == 0
        checked = second.run("verify")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        replayed = second.run("replay", "--as-of", show(latest(lines)), "--format", "json")
    assert essence(json.loads(replayed.stdout)) == essence(simulated(lines, until=latest(lines)))
