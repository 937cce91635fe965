"""Killed anywhere, at any step: nothing is lost and nothing is twice on the log."""

import random
import threading
from pathlib import Path

from monitor.generate.trial import generate_trial
from tests.engine.histories import essence, latest, simulated
from tests.engine.wire import publish
from tests.support.broker import Broker
from tests.support.reading import recorded_messages, records, replayed, verdict
from tests.support.waiting import wait_until
from tests.support.worker import WorkerProcess, worker_process

EVENTS = 2_000
KILLS = 10
PORTION = 100  # lines published at a time, so that events arrive through all the kills


class Publisher(threading.Thread):
    """Publishes portion after portion; each waits until the worker has begun to read the one before."""

    def __init__(self, worker: WorkerProcess, lines: list[bytes]) -> None:
        super().__init__(daemon=True)
        self._worker = worker
        self._lines = lines
        self.sent = 0

    def run(self) -> None:
        for start in range(0, len(self._lines), PORTION):
            wait_until(self._half_is_read, "it is read", 300)
            self.sent += publish(self._worker.settings, self._lines[start : start + PORTION])

    def await_recorded(self, messages: int) -> None:
        """Wait until so many are on the log, or all that were sent so far."""
        url = self._worker.database_url
        wait_until(lambda: recorded_messages(url) >= min(messages, self.sent), "some work is done")

    def _half_is_read(self) -> bool:
        return recorded_messages(self._worker.database_url) >= self.sent // 2


def test_ten_kills_lose_nothing_and_record_nothing_twice(broker: Broker, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    lines = generate_trial(40, 7, 365).text().encode().splitlines()[:EVENTS]
    assert len(lines) == EVENTS
    chance = random.Random(3)
    with worker_process(broker, url, tmp_path) as worker:
        publisher = Publisher(worker, lines)
        publisher.start()
        for _ in range(KILLS):
            worker.start_ready()
            # At a random point of the work, or before any of it, if there is nothing to do.
            publisher.await_recorded(recorded_messages(url) + chance.randrange(400))
            worker.kill()
        worker.start_ready()
        publisher.join()
        wait_until(lambda: recorded_messages(url) == publisher.sent, "all messages are read", 120)
        assert worker.stop() == 0
    assert_exactly_once(url, lines)


def assert_exactly_once(url: str, lines: list[bytes]) -> None:
    """Each event is on the log once, the log is whole, and its live alerts are the simulation's."""
    facts = [record for record in records(url) if record.origin is not None and record.stream.startswith("patient/")]
    assert len({record.origin for record in facts}) == len(facts)
    assert len({record.dedupe_key for record in facts}) == len(facts)
    expected = simulated(lines, until=latest(lines))
    found = verdict(url)
    assert found.broken is None
    assert not found.differs
    assert essence(replayed(url, latest(lines))) == essence(expected)
