"""What the relay needs of the world outside: a sender of notices, a publisher of alert events, an observer."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Notice:
    """What a person gets: a title fit for a lock screen, and a text."""

    title: str
    body: str


class SendOutcome(StrEnum):
    """What became of one attempt. TIMEOUT is ambiguous: the notice may have arrived."""

    DELIVERED = "delivered"
    FAILED = "failed"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One attempt as the channel answered it.

    `retryable` is False if trying again the same way cannot help (a refused address, a wrong URL). `detail` is the
    channel's own words with secrets and addresses masked. `elapsed` is in seconds.
    """

    outcome: SendOutcome
    retryable: bool
    detail: str
    attempts: int
    elapsed: float


class Sender(Protocol):
    """Hands a notice to one recipient."""

    async def send(self, recipient: str, notice: Notice, message_id: str) -> Receipt:
        """Try once. Never raises for what a channel or a network does: that is the receipt's to say."""


class AlertPublisher(Protocol):
    """Writes alert events to the `safety.alert` topic."""

    async def publish(self, key: str, value: bytes) -> Receipt:
        """Write one event and wait for the broker's word. Never raises for what the broker does."""


class RelayObserver(Protocol):
    """What the relay tells the metrics."""

    def notice_attempted(self, channel: str, outcome: str) -> None: ...

    def notice_delivered_after(self, priority: str, seconds: float) -> None: ...

    def notice_undelivered(self) -> None: ...

    def outbox_is(self, pending: dict[str, int], oldest_seconds: float) -> None: ...
