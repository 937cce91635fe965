"""The worker signs, publishes and, at its end, signs once more."""

import asyncio
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer

from monitor.audit.proof.checkpoint import read_checkpoint
from monitor.audit.proof.keys import SigningKey, keyring
from monitor.audit.proof.publishing import read_file
from monitor.broker import client_options
from monitor.embedded import EmbeddedBroker
from monitor.settings import Settings
from tests.engine.wire import platelets, publish
from tests.support.reading import recorded_messages, records
from tests.support.waiting import wait_until
from tests.support.worker import worker_process


def test_a_worker_publishes_checkpoints_and_signs_all_it_wrote_before_it_ends(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    key = SigningKey.generate("example.org/trial")
    (tmp_path / "key").write_text(key.line)
    (tmp_path / "key").chmod(0o600)
    file, url = tmp_path / "checkpoints", f"sqlite:///{tmp_path / 'log.db'}"
    given = {"CHECKPOINT_KEY": str(tmp_path / "key"), "CHECKPOINT_FILE": str(file), "CHECKPOINT_EVERY": "3600"}
    with worker_process(broker, url, tmp_path, **given) as worker:
        worker.start_ready()
        sent = publish(worker.settings, [platelets("SH-001", number) for number in range(5)])
        wait_until(lambda: recorded_messages(url) == sent, "the messages are on the log")
        wait_until(file.exists, "the first checkpoint is made at once")
        wait_until(lambda: "safety_checkpoint_sequence 0.0" not in worker.fetch("metrics"), "the metrics know of it")
        sent = publish(worker.settings, [platelets("SH-001", number) for number in range(5, 9)])
        wait_until(lambda: len(records(url)) > read_file(file)[-1].size, "there is more to sign")
        assert worker.stop() == 0
        verdict = worker.run("verify")

    published = read_file(file)
    assert published[-1].size == len(records(url))
    assert published[-1].check(keyring(key.verifier.line))
    assert verdict.returncode == 0, verdict.stderr
    assert f"{len(published)} checkpoints agree with the log" in verdict.stdout
    newest = asyncio.run(last_message(worker.settings, "safety.checkpoint"))
    assert read_checkpoint(newest.value.decode()) == published[-1]
    assert newest.key == b"example.org/trial"


async def last_message(settings: Settings, topic: str) -> Any:
    async with AIOKafkaConsumer(topic, auto_offset_reset="earliest", **client_options(settings)) as source:
        found = await source.getmany(timeout_ms=2_000)
    return max((message for messages in found.values() for message in messages), key=lambda one: one.offset)
