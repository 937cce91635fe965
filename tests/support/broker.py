"""A broker of the test's own, on a free port of the loopback, with all topics made: Tansu, or Apache Kafka."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

import pytest

from monitor.broker import apply_topics
from monitor.embedded import embedded_broker
from monitor.settings import Settings
from tests.support.kafka import KafkaBroker, KafkaMissing, kafka_broker, kafka_libs

OPTION = "--kafka"


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
    with any_broker(request) as running:
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


@pytest.fixture
def kafka(kafka_at_hand: None) -> Iterator[KafkaBroker]:  # noqa: ARG001 - it skips or fails
    """A running Apache Kafka with the topics, three partitions each, to be killed and started at will."""
    with kafka_broker() as running:
        with_topics(running)
        yield running


def any_broker(request: pytest.FixtureRequest) -> AbstractContextManager[Broker]:
    """One more broker of the kind that this run asked for, without topics."""
    if not request.config.getoption(OPTION):
        return embedded_broker()
    request.getfixturevalue("kafka_at_hand")
    return kafka_broker()


def with_topics(broker: Broker) -> Broker:
    """Make the topics, three partitions each."""
    asyncio.run(apply_topics(settings_for(broker), partitions=3, replication=1))
    return broker


def settings_for(broker: Broker, **others: object) -> Settings:
    """Settings that reach a broker."""
    return Settings.model_validate({"broker_url": broker.url, **others})
