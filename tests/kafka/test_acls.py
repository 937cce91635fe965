"""Under the rights of `deploy/kafka`: each does its own part, and no source can speak for another or for people."""

import asyncio
import json
import os
import subprocess
from pathlib import Path

import pytest
from aiokafka.errors import KafkaError

from monitor.agents.held import look
from monitor.audit.batch import Position
from monitor.broker import PARTITIONS, BrokerUnavailable, producer
from monitor.events.catalogue import TYPES
from monitor.settings import Settings
from tests.engine.wire import platelets
from tests.events.samples import sample
from tests.kafka.secured import Secured
from tests.support.kafka_libs import kafka_libs
from tests.support.reading import recorded_messages
from tests.support.waiting import wait_until

DEPLOY = Path(__file__).parents[2] / "deploy" / "kafka"


@pytest.fixture(scope="module")
def granted(secured: Secured, tmp_path_factory: pytest.TempPathFactory) -> Secured:
    """The broker with all topics, and the rights of the table."""
    folder = tmp_path_factory.mktemp("granting")
    command = folder / "kafka-acls"
    command.write_text(f'#!/bin/sh\nexec java -Xmx128m -cp "{kafka_libs()}/*" org.apache.kafka.tools.AclCommand "$@"\n')
    command.chmod(0o755)
    done = subprocess.run(
        [DEPLOY / "apply-acls", DEPLOY / "acls.txt", secured.broker.bootstrap, secured.client(folder)],
        env={**os.environ, "KAFKA_ACLS": str(command)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with secured.worker(folder, user="safety-administrator") as administrator:
        made = administrator.run("topics", "apply")
    assert made.returncode == 0, made.stderr
    return secured


def send(granted: Secured, folder: Path, user: str, *values: bytes) -> None:
    """Send events as this user, each to the topic of its type."""

    async def sending(settings: Settings) -> None:
        async with producer(settings) as client:
            for value in values:
                await client.send_and_wait(TYPES[json.loads(value)["type"]].topic, value, b"SH-017")

    with granted.worker(folder, user=user) as source:
        asyncio.run(sending(source.settings))


def event(kind: str) -> bytes:
    return json.dumps(sample(f"safety.{kind}.v1")).encode()


def test_the_worker_reads_what_a_source_sends_and_tells_what_it_finds(granted: Secured, tmp_path: Path) -> None:
    with granted.worker(tmp_path, user="safety-monitor", GROUP="safety-monitor") as worker:
        worker.start_ready()
        send(
            granted,
            tmp_path,
            "laboratory",
            *(platelets("SH-001", number) for number in range(20)),
            b'{"type": "safety.lab.resulted.v1"}',
        )
        wait_until(lambda: recorded_messages(worker.database_url) >= 21, "the results are on the log")
        wait_until(
            lambda: written(granted, tmp_path, "safety.quarantine") == 1, "what could not be read is in quarantine"
        )
        assert worker.stop() == 0, worker.said()


@pytest.mark.parametrize(
    ("user", "kind"),
    [
        ("laboratory", "alert.acknowledged"),
        ("laboratory", "treatment.decided"),
        ("ward", "alert.resolved"),
        ("ward", "lab.resulted"),
        ("safety-officer", "treatment.decided"),
        ("reader", "alert.acknowledged"),
        ("safety-monitor", "alert.acknowledged"),
    ],
)
def test_nobody_sends_what_is_another_s_to_say(granted: Secured, tmp_path: Path, user: str, kind: str) -> None:
    with pytest.raises((KafkaError, BrokerUnavailable), match="AuthorizationFailed"):
        send(granted, tmp_path, user, event(kind))


@pytest.mark.parametrize(
    ("user", "kind"),
    [
        ("laboratory", "lab.resulted"),
        ("mrd-laboratory", "mrd.resulted"),
        ("mrd-laboratory", "chimerism.resulted"),
        ("ward", "patient.enrolled"),
        ("ward", "gvhd.acute-assessed"),
        ("ward", "adverse-event.reported"),
        ("ward", "treatment.decided"),
        ("safety-officer", "alert.acknowledged"),
    ],
)
def test_each_sends_what_is_its_own(granted: Secured, tmp_path: Path, user: str, kind: str) -> None:
    topic = TYPES[f"safety.{kind}.v1"].topic
    before = written(granted, tmp_path, topic)
    send(granted, tmp_path, user, event(kind))
    assert written(granted, tmp_path, topic) == before + 1


def test_a_login_that_may_not_see_the_topics_is_told_so(granted: Secured, tmp_path: Path) -> None:
    with granted.worker(tmp_path, user="laboratory") as stranger:
        refused = stranger.run("worker")
    assert refused.returncode == 2
    assert "let this login see them" in refused.stderr


def written(granted: Secured, folder: Path, topic: str) -> int:
    """How many messages a topic has."""
    nothing = {(topic, partition): Position(next_offset=0) for partition in range(PARTITIONS)}
    with granted.worker(folder) as administrator:
        return sum(held.end for held in asyncio.run(look(administrator.settings, nothing)).values())
