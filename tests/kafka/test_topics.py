"""A topic that is made anew, truncated or rewritten under a log that knows it: the worker stops and says so."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from tests.engine.wire import platelets, put
from tests.support.broker import with_topics, without_topics
from tests.support.kafka import KafkaBroker
from tests.support.reading import recorded_messages, records
from tests.support.waiting import wait_until
from tests.support.worker import WorkerProcess, worker_process

TOPIC = "safety.lab"
RECORDED = 20
MISMATCH = 78
TEMPORARY = 75
MISSING = 2


@pytest.fixture
def worker(kafka: KafkaBroker, tmp_path: Path) -> Iterator[WorkerProcess]:
    """A worker at work, that has recorded all that is on the broker."""
    with worker_process(kafka, f"sqlite:///{tmp_path / 'log.db'}", tmp_path) as running:
        running.start_ready()
        put(running.settings, TOPIC, _messages(0, RECORDED))
        wait_until(lambda: recorded_messages(running.database_url) == RECORDED, "the messages are on the log")
        yield running


def _messages(first: int, last: int) -> list[tuple[bytes | None, bytes]]:
    return [(b"SH-001", platelets("SH-001", number)) for number in range(first, last)]


def _made_anew(kafka: KafkaBroker) -> None:
    without_topics(kafka, TOPIC)
    with_topics(kafka)


def _place(kafka: KafkaBroker) -> tuple[str, int]:
    """The partition of the one patient."""
    return next(place for place, held in kafka.held(TOPIC).items() if held.end)


def test_a_topic_made_anew_beside_a_worker_that_is_stopped(worker: WorkerProcess, kafka: KafkaBroker) -> None:
    assert worker.stop() == 0
    _made_anew(kafka)
    put(worker.settings, TOPIC, _messages(100, 105))
    worker.start()
    assert worker.ended() == MISMATCH
    assert "the topic was truncated or made anew" in worker.said()


def test_a_topic_made_anew_under_a_worker_at_work(worker: WorkerProcess, kafka: KafkaBroker) -> None:
    _made_anew(kafka)
    put(worker.settings, TOPIC, _messages(100, 105))
    assert worker.ended() == MISMATCH
    assert "made anew" in worker.said()


def test_a_topic_deleted_under_a_worker_at_work(worker: WorkerProcess, kafka: KafkaBroker) -> None:
    without_topics(kafka, TOPIC)
    assert worker.ended() == TEMPORARY
    # Which of the two depends on whether the group has dealt its partitions again by then.
    assert any(words in worker.said() for words in (f"{TOPIC} went from the broker", "what it holds of"))
    worker.start()
    assert worker.ended() == MISSING
    assert f"topics are missing on the broker ({TOPIC})" in worker.said()


def test_a_topic_made_anew_before_anything_was_recorded_of_it_is_read(kafka: KafkaBroker, tmp_path: Path) -> None:
    with worker_process(kafka, f"sqlite:///{tmp_path / 'log.db'}", tmp_path) as worker:
        worker.start_ready()
        _made_anew(kafka)
        put(worker.settings, TOPIC, _messages(0, RECORDED))
        wait_until(lambda: recorded_messages(worker.database_url) == RECORDED, "the messages are on the log")
        assert worker.stop() == 0


def test_a_topic_made_anew_and_filled_past_the_recorded_offset(worker: WorkerProcess, kafka: KafkaBroker) -> None:
    assert worker.stop() == 0
    _made_anew(kafka)
    put(worker.settings, TOPIC, _messages(100, 100 + 2 * RECORDED))
    worker.start()
    assert worker.ended() == MISMATCH
    assert f"other bytes at the recorded offset {RECORDED - 1}" in worker.said()


def test_a_truncated_topic(worker: WorkerProcess, kafka: KafkaBroker) -> None:
    assert worker.stop() == 0
    topic, partition = _place(kafka)
    kafka.stop()
    for segment in (kafka.data / f"{topic}-{partition}").iterdir():
        if segment.suffix in {".log", ".index", ".timeindex", ".snapshot"}:
            segment.unlink()
    (kafka.data / ".kafka_cleanshutdown").unlink(missing_ok=True)
    kafka.start()
    worker.start()
    assert worker.ended() == MISMATCH
    assert "the topic was truncated or made anew" in worker.said()


def test_messages_that_were_deleted_before_they_were_read(worker: WorkerProcess, kafka: KafkaBroker) -> None:
    assert worker.stop() == 0
    put(worker.settings, TOPIC, _messages(100, 110))
    place = TopicPartition(*_place(kafka))

    async def delete() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        try:
            await admin.delete_records({place: RecordsToDelete(before_offset=RECORDED + 5)})
        finally:
            await admin.close()

    asyncio.run(delete())
    worker.start()
    assert worker.ended() == MISMATCH
    assert f"the broker begins at {RECORDED + 5}: messages between were lost" in worker.said()


def test_positions_that_are_adopted_read_the_new_topic_from_its_beginning(
    worker: WorkerProcess, kafka: KafkaBroker
) -> None:
    assert worker.stop() == 0
    _made_anew(kafka)
    put(worker.settings, TOPIC, _messages(RECORDED - 5, RECORDED + 5))
    worker.start()
    assert worker.ended() == MISMATCH
    adopted = worker.run("topics", "adopt", "--approved-by", "data manager", "--why", "the cluster was rebuilt")
    assert adopted.returncode == 0, adopted.stderr
    assert f"{TOPIC}/{_place(kafka)[1]}: from offset {RECORDED} to 0" in adopted.stdout
    worker.start_ready()
    wait_until(lambda: recorded_messages(worker.database_url) == 10, "the new topic is read")
    assert worker.stop() == 0
    facts = [record for record in records(worker.database_url) if record.kind == "safety.lab.resulted.v1"]
    assert len(facts) == len({record.dedupe_key for record in facts}) == RECORDED + 5
    assert worker.run("verify").returncode == 0
    again = worker.run("topics", "adopt", "--approved-by", "data manager", "--why", "to be sure")
    assert "nothing to adopt" in again.stdout
