"""A broker whose disk has spoilt a message: nothing is recorded of it, and the worker says why it ends."""

from pathlib import Path

from tests.engine.wire import platelets, put
from tests.support.broker import with_topics
from tests.support.kafka import kafka_broker
from tests.support.reading import recorded_messages
from tests.support.worker import worker_process


def test_a_message_that_does_not_match_its_checksum_ends_the_worker_with_a_word(
    kafka_at_hand: None,  # noqa: ARG001 - it skips or fails
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    with kafka_broker() as broker, worker_process(with_topics(broker), url, tmp_path) as worker:
        put(worker.settings, "safety.lab", [(b"SH-001", platelets("SH-001", number)) for number in range(3)])
        broker.stop()
        for segment in broker.data.glob("safety.lab-*/*.log"):
            segment.write_bytes(segment.read_bytes().replace(b"plt-1", b"plt-2"))
        broker.start()
        worker.start()
        assert worker.ended() == 75
        assert "worker ends: what the broker sends does not match its own checksum" in worker.said()
        assert recorded_messages(url) == 0
