"""A refused message is copied as it came; one that leaves no room for our headers is copied by them alone."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

from monitor.agents.publisher import TopicPublisher
from monitor.agents.quarantine import QuarantineCopies
from monitor.errors import MessageTooLarge
from monitor.recorder.inputs import Header, Input
from tests.audit.rig import HandClock, recorder
from tests.support.memory_log import MemoryAuditLog

ROOM = 1_000  # bytes that this broker takes
HEADERS = (("quarantine_reason", b"feigned" * 200),)


class SmallBroker:
    """Takes messages up to its limit, as a broker does."""

    def __init__(self) -> None:
        self.taken: list[tuple[bytes | None, bytes, dict[str, bytes]]] = []

    async def send(self, topic: str, key: bytes | None, value: bytes, headers: Sequence[Header] = ()) -> None:
        if len(value) + sum(len(name) + len(content) for name, content in headers) > ROOM:
            raise MessageTooLarge(topic)
        self.taken.append((key, value, dict(headers)))


async def copies(*inputs: Input) -> list[tuple[bytes | None, bytes, dict[str, bytes]]]:
    """What the quarantine topic holds after these messages."""
    log, broker, clock = MemoryAuditLog(), SmallBroker(), HandClock()
    clock.at = datetime(2025, 6, 1, tzinfo=UTC)
    await (await recorder(log, clock, events_clock=False)).record(inputs)
    await QuarantineCopies(log, cast(TopicPublisher, broker), clock)._copy()
    return broker.taken


def refused(offset: int, value: bytes, headers: Sequence[Header] = ()) -> Input:
    return Input("safety.lab", 0, offset, b"SH-001", value, tuple(headers))


async def test_a_message_is_copied_as_it_came_with_why_and_from_where() -> None:
    ((key, value, headers),) = await copies(refused(0, b"{", [("bridge", b"7")]))
    assert (key, value, headers["bridge"]) == (b"SH-001", b"{", b"7")
    assert (headers["quarantine_reason"], headers["quarantine_offset"]) == (b"malformed_json", b"0")


async def test_one_too_large_to_be_copied_holds_up_nothing_and_says_where_it_is() -> None:
    large, small = await copies(refused(0, b"{" * 990, HEADERS), refused(1, b"{"))
    assert (large[0], large[1]) == (None, b"")
    assert large[2]["quarantine_reason"] == b"malformed_json"
    assert large[2]["quarantine_left_out"] == b"990 bytes; the whole is on the log"
    assert small[1] == b"{"
