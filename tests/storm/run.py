"""Storms over two workers on Apache Kafka and PostgreSQL, one after another: `make storm N=5 SEED=1`.

Each has a broker, a database and a trial of its own, all drawn from its seed. A line each tells what it did and what it
left; the exit code is 1 if anything was lost, doubled or otherwise wrong.
"""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path

from aiokafka.errors import KafkaError

from monitor.audit.schema import upgrade
from monitor.errors import MonitorError
from monitor.events.catalogue import TOPICS
from monitor.generate.trial import generate_trial
from tests.engine.wire import publish
from tests.storm.judging import Judgement, committed_beyond, judge
from tests.storm.weather import Weather
from tests.support.broker import with_topics
from tests.support.kafka import kafka_broker
from tests.support.postgres import MISSING, PostgresCluster, find_programs
from tests.support.reading import recorded_messages
from tests.support.waiting import wait_until
from tests.support.worker import WorkerProcess, worker_process

PATIENTS = 8
DAYS = 365
EVENTS = 600
PORTION = 50  # lines published at a time
BURSTS = 4  # of poison
POISON = 12  # messages in a burst
FAULTS = 8
SETTLE = 180.0  # seconds until everything is read once the storm is over


class Publisher(threading.Thread):
    """Publishes portion after portion, through everything; a portion that failed is sent again, whole."""

    def __init__(self, worker: WorkerProcess, lines: list[bytes], pause: float) -> None:
        super().__init__(daemon=True)
        self._settings = worker.settings
        self._lines = lines
        self._pause = pause
        self.again = 0

    def run(self) -> None:
        for start in range(0, len(self._lines), PORTION):
            while not self._sent(self._lines[start : start + PORTION]):
                self.again += 1
            time.sleep(self._pause)

    def _sent(self, lines: list[bytes]) -> bool:
        try:
            publish(self._settings, lines)
        except (MonitorError, OSError, TimeoutError):
            time.sleep(0.5)
            return False
        return True


def lines_of(seed: int) -> list[bytes]:
    """A trial, with bursts of what nobody can read."""
    chance = random.Random(f"{seed}/poison")
    lines = generate_trial(PATIENTS, seed, DAYS).text().encode().splitlines()[:EVENTS]
    for burst in range(BURSTS):
        at = chance.randrange(len(lines))
        lines[at:at] = [b"{poison %d %d" % (burst, number) for number in range(POISON)]
    return lines


def storm(seed: int, postgres: PostgresCluster) -> tuple[Weather, Publisher, Judgement]:
    """One storm, from an empty broker and an empty database to the judgement."""
    lines = lines_of(seed)
    chance = random.Random(f"{seed}/faults")
    url = postgres.database()
    asyncio.run(upgrade(url))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="safety-storm-")))
        kafka = stack.enter_context(kafka_broker())
        with_topics(kafka)
        workers = []
        for name in ("first", "second"):
            (folder / name).mkdir()
            workers.append(stack.enter_context(worker_process(kafka, url, folder / name, INSTANCE=name)))
        weather = Weather(chance, kafka, postgres, tuple(workers))
        weather.revive()
        publisher = Publisher(workers[0], lines, pause=1.5)
        publisher.start()
        beyond: list[str] = []
        for _ in range(FAULTS):
            time.sleep(chance.uniform(0.5, 4))
            weather.strike()
            with suppress(KafkaError, MonitorError):  # a broker that has just come back may not know yet
                beyond += committed_beyond(kafka, url, workers[0].settings)

        def settled() -> bool:
            weather.revive()
            return not publisher.is_alive() and recorded_messages(url) == kafka.end(*TOPICS)

        wait_until(settled, "everything is read", SETTLE)
        for worker in workers:
            worker.stop()
        judgement = judge(kafka, url, workers[0].settings, lines)
        weather.crashes += beyond
        return weather, publisher, judgement


def main() -> int:
    """Run the storms that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--storms", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its complaints about the weather
    programs = find_programs()
    if programs is None:
        print(MISSING, file=sys.stderr)
        return 2
    postgres = PostgresCluster(programs)
    bad = 0
    try:
        postgres.start()
        for seed in range(asked.seed, asked.seed + asked.storms):
            bad += not _told(seed, postgres)
    finally:
        postgres.remove()
    print(f"{asked.storms} storms, {bad} with something wrong")
    return 1 if bad else 0


def _told(seed: int, postgres: PostgresCluster) -> bool:
    """Run one storm and print what came of it; True if all is well."""
    began = time.monotonic()
    try:
        weather, publisher, left = storm(seed, postgres)
    except AssertionError as error:
        print(f"storm {seed}: {error}", flush=True)
        return False
    faults = ", ".join(f"{number} {kind}" for kind, number in sorted(Counter(weather.faults).items()))
    print(
        f"storm {seed}: {len(weather.faults)} faults ({faults}); events sent {left.events}, on log {left.on_log}, "
        f"quarantined {left.quarantined}, lost {left.lost}, doubled {left.doubled}, alerts matched {left.matched}, "
        f"portions sent again {publisher.again}; {time.monotonic() - began:.0f} s",
        flush=True,
    )
    for what in (*left.wrong, *weather.crashes):
        print(f"  wrong: {what}", flush=True)
    return not (left.lost or left.doubled or left.wrong or weather.crashes)


if __name__ == "__main__":
    sys.exit(main())
