"""A token or a certificate that somebody renews is gone for a moment: the worker asks again and goes on."""

from pathlib import Path

import pytest
from aiokafka.errors import KafkaError

from monitor.agents.held import look
from monitor.agents.publisher import TopicPublisher
from monitor.audit.batch import Position
from monitor.broker import BrokerUnavailable
from monitor.settings import SaslMechanism, Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A login by a token whose file is empty just now."""
    (tmp_path / "token").touch()
    return Settings(broker_tls=True, broker_mechanism=SaslMechanism.OAUTHBEARER, broker_token_file=tmp_path / "token")


async def test_what_the_broker_holds_is_asked_again_later(settings: Settings) -> None:
    with pytest.raises(KafkaError, match="no token"):
        await look(settings, {("safety.lab", 0): Position(next_offset=1)})


async def test_a_message_for_the_broker_waits(settings: Settings) -> None:
    with pytest.raises(BrokerUnavailable):
        await TopicPublisher(settings).send("safety.alert", None, b"{}")
