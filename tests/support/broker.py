"""A broker for a test, on a free port of the loopback, with all topics made: Tansu, or Apache Kafka.

Tansu starts in milliseconds, so each test has one of its own. A Kafka takes seconds: the tests of a run share one node,
and each finds fresh topics on it and is a group of its own.
"""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from monitor.broker import ALL_TOPICS, apply_topics
from monitor.embedded import embedded_broker
from monitor.settings import Settings
from tests.support.kafka import KafkaBroker, Reached, kafka_broker
from tests.support.kafka_cluster import KafkaCluster, kafka_cluster
from tests.support.kafka_libs import KafkaMissing, kafka_libs
from tests.support.waiting import wait_until

OPTION = "--kafka"
NODES = 3


class Broker(Protocol):
    """What a test knows of a broker that runs."""

    @property
    def url(self) -> str:
        """The address as the settings want it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, action="store_true", help="run the tests of the broker on Apache Kafka (make test-kafka)")


@pytest.fixture
def bare_broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """A running broker without topics."""
    if request.config.getoption(OPTION):
        yield request.getfixturevalue("bare_kafka")
        return
    with embedded_broker() as running:
        yield running


@pytest.fixture
def broker(bare_broker: Broker) -> Broker:
    """A running broker with the topics, three partitions each."""
    return with_topics(bare_broker)


@pytest.fixture(scope="session")
def kafka_at_hand(request: pytest.FixtureRequest) -> None:
    """Skips what only Apache Kafka can show, where it was not asked for; fails where it was and cannot be had."""
    if not request.config.getoption(OPTION):
        pytest.skip("shown on Apache Kafka alone: make test-kafka")
    try:
        kafka_libs()
    except KafkaMissing as error:
        pytest.fail(f"no Apache Kafka: {error}", pytrace=False)


@pytest.fixture(scope="session")
def kafka_node(kafka_at_hand: None) -> Iterator[KafkaBroker]:  # noqa: ARG001 - it skips or fails
    """The one node that the tests of a run share."""
    with kafka_broker() as running:
        yield running


@pytest.fixture
def bare_kafka(kafka_node: KafkaBroker) -> KafkaBroker:
    """A running Apache Kafka without topics, to be killed and started at will."""
    if not kafka_node.accepts():  # a test that failed left it so
        kafka_node.start()
    without_topics(kafka_node)
    return kafka_node


@pytest.fixture
def kafka(bare_kafka: KafkaBroker) -> KafkaBroker:
    """A running Apache Kafka with the topics, three partitions each, to be killed and started at will."""
    with_topics(bare_kafka)
    return bare_kafka


@pytest.fixture(scope="module")
def kafka_nodes(kafka_at_hand: None) -> Iterator[KafkaCluster]:  # noqa: ARG001 - it skips or fails
    """The three nodes that the tests of a module share."""
    with kafka_cluster(NODES) as running:
        yield running


@pytest.fixture
def cluster(kafka_nodes: KafkaCluster) -> KafkaCluster:
    """Three nodes that replicate, with the topics, three partitions each."""
    for node in kafka_nodes.nodes:
        if not node.accepts():  # a test that failed left it so
            node.start()
    without_topics(kafka_nodes)
    with_topics(kafka_nodes, kafka_nodes.replication)
    return kafka_nodes


def any_broker(request: pytest.FixtureRequest) -> AbstractContextManager[Broker]:
    """One more broker of the kind that this run asked for, without topics."""
    if not request.config.getoption(OPTION):
        return embedded_broker()
    request.getfixturevalue("kafka_at_hand")
    return kafka_broker()


def with_topics(broker: Broker, replication: int = 1) -> Broker:
    """Make the topics, three partitions each."""
    asyncio.run(apply_topics(settings_for(broker), partitions=3, replication=replication))
    return broker


def without_topics(kafka: Reached, *topics: str) -> None:
    """Delete these of our topics (all, if none is named), and wait until they are gone."""

    def of_ours() -> set[str]:
        return {name for name in topics or ALL_TOPICS if any(any(disk.glob(f"{name}-?")) for disk in kafka.disks)}

    async def delete(names: set[str]) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        try:
            await admin.delete_topics(sorted(names))
        finally:
            await admin.close()

    def none_left() -> bool:
        if names := of_ours():
            asyncio.run(delete(names))  # again if need be: those just made come to the disk one by one
        return not of_ours()

    wait_until(none_left, "the topics are gone")


def settings_for(broker: Broker, **others: object) -> Settings:
    """Settings that reach a broker."""
    return Settings.model_validate({"broker_url": broker.url, **others})
