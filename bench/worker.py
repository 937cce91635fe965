"""What a worker does in a second, end to end, beside peers that do less, in one run: `make bench`.

The embedded broker holds a synthetic trial; each reader then reads all of it from the beginning. The guarantees differ,
and the table says how: only the first row decodes, assesses, alerts, numbers, encrypts and never loses anything.
"""

import argparse
import asyncio
import hashlib
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaConsumer

from monitor.agents.leave import leave
from monitor.agents.ports import TopicPartition
from monitor.agents.watchdog import Watchdog
from monitor.app import build_app
from monitor.audit.batch import Position
from monitor.broker import client_options, recognised
from monitor.cli.demonstration.exposition import Exposition
from monitor.cli.publish import send
from monitor.embedded import embedded_broker
from monitor.events.catalogue import TOPICS
from monitor.generate.trial import generate_trial
from monitor.recorder.inputs import Input
from monitor.settings import Settings
from tests.support.broker import settings_for, with_topics
from tests.support.worker import worker_process

SEED: Final = 1
POLL: Final = 0.05  # seconds between two looks at the worker's metrics
PATIENCE: Final = 600.0  # seconds for one reader


class Counted:
    """Stands where the recorder does, and only counts: what is left is the engine and our agents' loop."""

    def __init__(self) -> None:
        self.messages = 0
        self.began = 0.0

    def reached(self, least: int) -> Callable[[], Awaitable[bool]]:
        """Whether so many messages have come."""

        async def reached() -> bool:
            return self.messages >= least

        return reached

    async def record(self, inputs: Sequence[Input]) -> None:
        self.began = self.began or time.perf_counter()
        self.messages += len(inputs)

    async def assigned(self, _partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, Position]:
        return {}

    def recorded(self, _partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, Position]:
        return {}

    def fetched(self, _ends: Mapping[TopicPartition, int]) -> None:
        return None


async def faust_alone(settings: Settings, messages: int, _folder: Path) -> float:
    """Seconds of faust and our agents' loop with nothing behind them, from the first batch to the last."""
    counted = Counted()
    watchdog = Watchdog(leave, PATIENCE)
    app = build_app(await recognised(settings), counted, leave, watchdog)
    await app.start()
    await _until(counted.reached(messages))
    took = time.perf_counter() - counted.began
    await app.stop()
    return took


async def consumer_and_sqlite(settings: Settings, messages: int, folder: Path) -> float:
    """Seconds of a plain aiokafka loop that parses, hashes and appends to SQLite in batches, then commits."""
    consumer = AIOKafkaConsumer(
        *TOPICS, **client_options(settings), group_id="bench-plain", auto_offset_reset="earliest",
        enable_auto_commit=False, session_timeout_ms=6_000,
    )  # fmt: skip
    await consumer.start()
    rows, began = 0, 0.0
    with sqlite3.connect(folder / "plain.db") as log:
        log.executescript("PRAGMA journal_mode=WAL; CREATE TABLE log (n INTEGER PRIMARY KEY, v BLOB, h BLOB)")
        while rows < messages:
            batch = [one for part in (await consumer.getmany(timeout_ms=500)).values() for one in part]
            began = began or (time.perf_counter() if batch else 0.0)
            log.executemany("INSERT INTO log (v, h) VALUES (?, ?)", [_row(one.value or b"") for one in batch])
            log.commit()
            await consumer.commit()
            rows += len(batch)
    took = time.perf_counter() - began
    await consumer.stop()
    return took


def _row(value: bytes) -> tuple[bytes, bytes]:
    with suppress(ValueError):  # what was broken on purpose is appended as well
        json.loads(value)
    return value, hashlib.sha256(value).digest()


async def the_worker(settings: Settings, _messages: int, folder: Path, *, events: int) -> float:
    """Seconds of `safety-monitor worker` on SQLite, from its first event on the log to its last."""
    with worker_process(Reached(settings.broker_url), f"sqlite:///{folder / 'log.db'}", folder) as worker:
        worker.start()

        async def taken() -> int:
            try:
                return Exposition(await asyncio.to_thread(worker.fetch, "metrics")).taken
            except OSError:
                return 0  # it does not answer yet

        await _until(lambda: _is(taken(), 1))
        began = time.perf_counter()
        await _until(lambda: _is(taken(), events))
        return time.perf_counter() - began


@dataclass(frozen=True)
class Reached:
    """A broker as the settings of a worker name it."""

    url: str


async def _is(count: Awaitable[int], least: int) -> bool:
    return await count >= least


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(round(PATIENCE / POLL)):
        if await holds():
            return
        await asyncio.sleep(POLL)
    raise TimeoutError(f"a reader was not done after {PATIENCE:.0f} s")


def main() -> int:
    """Fill a broker, let each read it, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=51)
    asked = parser.parse_args()
    lines = [line.text.encode() for line in generate_trial(asked.patients, SEED).lines]
    with tempfile.TemporaryDirectory(prefix="safety-bench-") as scratch, embedded_broker() as running:
        broker = with_topics(running)
        settings = settings_for(broker, group="bench-faust", static_membership=False)
        messages = asyncio.run(send(settings, lines))
        print(f"{len(lines)} events of a trial and {messages - len(lines)} steps of its clock, read from the beginning")
        print(f"{'reader':<38}{'messages/s':>11}{'seconds':>9}  what it does")
        readers = {
            "safety-monitor worker, SQLite": (partial(the_worker, events=len(lines)), "all of it; loses nothing"),
            "faust, our agents, nothing behind": (faust_alone, "carries bytes"),
            "aiokafka and SQLite": (consumer_and_sqlite, "parses, hashes, appends; no rules"),
        }
        for name, (read, does) in readers.items():
            took = asyncio.run(read(settings, messages, Path(scratch)))
            print(f"{name:<38}{messages / took:>11,.0f}{took:>9.1f}  {does}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
