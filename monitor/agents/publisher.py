"""What we send to the broker: copies of refused messages, and every change of an alert."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from monitor.broker import BrokerUnavailable, producer
from monitor.errors import MessageTooLarge, UsageError
from monitor.events.catalogue import ALERT_TOPIC
from monitor.notify.ports import Receipt, SendOutcome
from monitor.recorder.inputs import Header
from monitor.settings import Settings

LIMIT: Final = 10.0  # seconds for one message


class TopicPublisher:
    """A producer that connects when it is first needed: the worker starts while the broker is down, too."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._client: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()

    async def send(self, topic: str, key: bytes | None, value: bytes, headers: Sequence[Header] = ()) -> None:
        """Send one message and wait for the broker's word. Raises BrokerUnavailable, MessageTooLarge."""
        try:
            async with asyncio.timeout(LIMIT):
                client = await self._connected()
                await client.send_and_wait(topic, value, key, headers=list(headers))
        except MessageSizeTooLargeError as error:
            raise MessageTooLarge(f"a message for {topic} is larger than the broker takes") from error
        except (KafkaError, TimeoutError) as error:
            raise BrokerUnavailable(f"the broker did not take a message: {type(error).__name__}") from error
        except UsageError as error:  # a token or a certificate that is being renewed
            raise BrokerUnavailable(str(error)) from error

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._stack.aclose()

    async def _connected(self) -> AIOKafkaProducer:
        async with self._connecting:
            if self._client is None:
                self._client = await self._stack.enter_async_context(producer(self._settings))
            return self._client


class AlertTopic:
    """The AlertPublisher of the relay."""

    def __init__(self, publisher: TopicPublisher) -> None:
        self._publisher = publisher

    async def publish(self, key: str, value: bytes) -> Receipt:
        """Write one event and wait for the broker's word. Never raises for what the broker does."""
        began = time.perf_counter()
        try:
            await self._publisher.send(ALERT_TOPIC, key.encode(), value)
        except BrokerUnavailable as error:
            return Receipt(SendOutcome.FAILED, True, str(error), 1, time.perf_counter() - began)
        return Receipt(SendOutcome.DELIVERED, False, "taken by the broker", 1, time.perf_counter() - began)
