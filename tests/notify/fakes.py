"""The ports of the relay, in memory."""

import asyncio
from collections import defaultdict, deque
from datetime import UTC, datetime, timedelta

from monitor.notify.ports import Notice, Receipt, SendOutcome

DELIVERED = Receipt(SendOutcome.DELIVERED, False, "accepted", 1, 0.01)
FAILED = Receipt(SendOutcome.FAILED, True, "HTTP 503", 1, 0.01)
REFUSED = Receipt(SendOutcome.FAILED, False, "HTTP 403", 1, 0.01)
UNSURE = Receipt(SendOutcome.TIMEOUT, True, "no answer in time", 1, 8.0)


class FakeClock:
    """A wall clock that a test moves by hand."""

    def __init__(self, now: datetime = datetime(2025, 6, 12, 19, 0, tzinfo=UTC)) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, **delta: float) -> None:
        self._now += timedelta(**delta)


class FakeSender:
    """Delivers what it is given, unless a recipient's plan says otherwise; knows no recipient it was not told of."""

    def __init__(self, *recipients: str) -> None:
        self.known = set(recipients)
        self.plan: dict[str, deque[Receipt]] = defaultdict(deque)
        self.sent: list[tuple[str, Notice, str]] = []
        self.tried: list[tuple[str, Notice, str]] = []

    def answers(self, recipient: str, *receipts: Receipt) -> None:
        self.plan[recipient].extend(receipts)

    async def send(self, recipient: str, notice: Notice, message_id: str) -> Receipt:
        await asyncio.sleep(0)
        if recipient not in self.known:
            return Receipt(SendOutcome.FAILED, False, "no such recipient in the routing file", 0, 0.0)
        self.tried.append((recipient, notice, message_id))
        receipt = self.plan[recipient].popleft() if self.plan[recipient] else DELIVERED
        if receipt.outcome is SendOutcome.DELIVERED:
            self.sent.append((recipient, notice, message_id))
        return receipt

    async def close(self) -> None:
        pass


class FakePublisher:
    """A topic in memory."""

    def __init__(self) -> None:
        self.events: list[tuple[str, bytes]] = []
        self.down = False

    async def publish(self, key: str, value: bytes) -> Receipt:
        if self.down:
            return Receipt(SendOutcome.FAILED, True, "broker not reachable", 1, 0.01)
        self.events.append((key, value))
        return DELIVERED


class FakeObserver:
    """Remembers what the metrics would count."""

    def __init__(self) -> None:
        self.attempts: list[tuple[str, str]] = []
        self.undelivered = 0
        self.pending: dict[str, int] = {}
        self.oldest_seconds = 0.0

    def notice_attempted(self, channel: str, outcome: str) -> None:
        self.attempts.append((channel, outcome))

    def notice_delivered_after(self, priority: str, seconds: float) -> None:
        pass

    def notice_undelivered(self) -> None:
        self.undelivered += 1

    def outbox_is(self, pending: dict[str, int], oldest_seconds: float) -> None:
        self.pending, self.oldest_seconds = pending, oldest_seconds
