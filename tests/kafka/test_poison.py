"""What a producer may put on a topic of Apache Kafka: no message holds up those behind it."""

import asyncio
import json
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record._crc32c import crc

from monitor.audit import kinds
from monitor.broker import client_options
from monitor.settings import Settings
from tests.engine.wire import platelets, put
from tests.events.samples import sample
from tests.support.kafka import KafkaBroker
from tests.support.reading import recorded_messages, records
from tests.support.waiting import wait_until
from tests.support.worker import worker_process

CODECS = ("gzip", "snappy", "lz4", "zstd")
BOMB = b"\0" * 17_000_000  # just beyond what a batch may grow to; snappy makes less than a megabyte of it
ROOM = 1 << 30  # bytes: the producer's own limit, out of the way


async def send(settings: Settings, codec: str | None, value: bytes, name: str = "n") -> None:
    """One message in a batch of its own."""
    options = {**client_options(settings), "max_request_size": ROOM, "compression_type": codec}
    async with AIOKafkaProducer(**options) as client:
        await client.send_and_wait("safety.lab", value, b"SH-001", partition=0, headers=[(name, b"1")])


def test_compressed_bombed_and_garbled_batches_are_recorded_or_refused_and_what_follows_is_read(
    kafka: KafkaBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    with worker_process(kafka, url, tmp_path) as worker:
        worker.start_ready()
        for number, codec in enumerate(CODECS):
            asyncio.run(send(worker.settings, codec, BOMB))
            asyncio.run(send(worker.settings, codec, platelets("SH-001", number)))
        with monkeypatch.context() as garbling:
            build = BatchBuilder._build

            def garbled(batch: BatchBuilder) -> bytes:
                return _with_checksum(bytes(build(batch)).replace(b"naughty", b"n\xff\xfeghty"))

            garbling.setattr(BatchBuilder, "_build", garbled)
            asyncio.run(send(worker.settings, None, platelets("SH-001", 50), "naughty"))
        put(worker.settings, "safety.mrd", [(b"SH-001", json.dumps(sample("safety.mrd.resulted.v1")).encode())])
        wait_until(lambda: recorded_messages(url) == 2 * len(CODECS) + 2, "all are on the log")
        assert worker.stop() == 0
    found = records(url)
    refused = [json.loads(one.payload) for one in found if one.stream == kinds.quarantine_stream("safety.lab")]
    assert [one["reason"] for one in refused] == ["too_large"] * len(CODECS)
    assert sum(one.kind == "safety.lab.resulted.v1" for one in found) == len(CODECS) + 1
    assert sum(one.kind == "safety.mrd.resulted.v1" for one in found) == 1


def _with_checksum(raw: bytes) -> bytes:
    return raw[:17] + int(crc(raw[21:])).to_bytes(4, "big") + raw[21:]
