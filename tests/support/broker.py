"""A broker of the test's own: Tansu, on a free port of the loopback, with all topics made."""

import asyncio
from collections.abc import Iterator

import pytest

from monitor.broker import apply_topics
from monitor.embedded import EmbeddedBroker, embedded_broker
from monitor.settings import Settings


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """A running broker with the topics, three partitions each."""
    with embedded_broker() as running:
        asyncio.run(apply_topics(settings_for(running), partitions=3, replication=1))
        yield running


def settings_for(broker: EmbeddedBroker, **others: object) -> Settings:
    """Settings that reach a broker."""
    return Settings.model_validate({"broker_url": broker.url, **others})
