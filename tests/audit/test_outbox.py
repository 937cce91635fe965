"""Notices wait in the outbox until their outcome is recorded."""

import asyncio
from datetime import timedelta

import pytest

from monitor.audit.batch import Backlog, OutboxRow, OutboxState, Outcome
from monitor.audit.kinds import NOTICE_DELIVERED, NOTICE_FAILED, delivery_stream
from monitor.audit.ports import AuditLog
from monitor.audit.records import NewRecord
from tests.audit.given import START, at, batch, fact, notice

LEASE = timedelta(minutes=1)


async def claimed(log: AuditLog, minutes: float = 0, *, limit: int = 10) -> list[OutboxRow]:
    return await log.claim_outbox(limit=limit, lease_for=LEASE, now=at(minutes))


def receipt(kind: str = NOTICE_DELIVERED) -> NewRecord:
    return fact(stream=delivery_stream("SH-001"), kind=kind)


async def test_a_notice_is_claimed_once_while_its_lease_lasts(log: AuditLog) -> None:
    await log.append(batch(fact(), outbox=(notice(),)))

    [row] = await claimed(log)

    assert (row.row_id, row.attempts) == ("n-1", 1)
    assert await claimed(log, 0.5) == []
    assert [row.attempts for row in await claimed(log, 1)] == [2]


async def test_a_notice_written_again_is_the_same_notice(log: AuditLog) -> None:
    await log.append(batch(outbox=(notice(payload='{"a":1}'),)))
    await claimed(log)
    await log.append(batch(outbox=(notice(payload='{"a":2}'),)))

    assert [(row.payload, row.attempts) for row in await claimed(log, 2)] == [('{"a":1}', 2)]


async def test_what_waits_by_a_clock_that_was_hours_ahead_goes_once_the_clock_is_right(log: AuditLog) -> None:
    await log.append(batch(outbox=(notice("claimed", not_before=at(120)), notice("written", not_before=at(121)))))
    assert [row.row_id for row in await claimed(log, 120)] == ["claimed"]

    assert {row.row_id for row in await claimed(log)} == {"claimed", "written"}


async def test_the_oldest_come_first_and_those_of_later_wait(log: AuditLog) -> None:
    rows = (notice("late", not_before=at(10)), notice("second", not_before=at(1)), notice("first"))
    await log.append(batch(outbox=rows))

    assert [row.row_id for row in await claimed(log, 5, limit=1)] == ["first"]
    assert [row.row_id for row in await claimed(log, 5)] == ["second"]
    assert [row.row_id for row in await claimed(log, 10, limit=1)] == ["first"]


async def test_a_relay_may_take_the_rows_of_some_channels_alone(log: AuditLog) -> None:
    await log.append(batch(outbox=(notice("m"), notice("k", channel="kafka"))))

    found = await log.claim_outbox(limit=5, lease_for=LEASE, now=START, channels={"kafka"})

    assert [row.row_id for row in found] == ["k"]


async def test_a_delivery_and_its_receipt_are_one(log: AuditLog) -> None:
    await log.append(batch(outbox=(notice(),)))
    [row] = await claimed(log)

    [record] = await log.settle_outbox("n-1", Outcome(attempt=1, state=OutboxState.DELIVERED), batch(receipt()))

    assert (record.stream, record.kind) == ("delivery/SH-001", NOTICE_DELIVERED)
    assert row.state is OutboxState.PENDING
    assert await claimed(log, 99) == []
    assert await log.outbox_backlog() == []


async def test_a_failed_attempt_comes_again_at_its_time(log: AuditLog) -> None:
    await log.append(batch(outbox=(notice(),)))
    await claimed(log)

    outcome = Outcome(attempt=1, state=OutboxState.PENDING, retry_at=at(0.5))
    await log.settle_outbox("n-1", outcome, batch(receipt(NOTICE_FAILED)))

    assert await claimed(log, 0.4) == []
    assert [row.attempts for row in await claimed(log, 0.5)] == [2]


async def test_giving_up_can_write_the_next_channels_notice(log: AuditLog) -> None:
    await log.append(batch(outbox=(notice(),)))
    await claimed(log)

    next_channel = notice("n-2", channel="sms")
    given_up = Outcome(attempt=1, state=OutboxState.ABANDONED)
    await log.settle_outbox("n-1", given_up, batch(receipt(NOTICE_FAILED), outbox=(next_channel,)))

    assert [row.row_id for row in await claimed(log, 5)] == ["n-2"]


async def test_a_failure_told_after_another_took_the_row_leaves_the_row_alone(log: AuditLog) -> None:
    await log.append(batch(outbox=(notice(),)))
    await claimed(log)
    await claimed(log, 2)

    late = Outcome(attempt=1, state=OutboxState.PENDING, retry_at=at(2))
    records = await log.settle_outbox("n-1", late, batch(receipt(NOTICE_FAILED)))

    assert len(records) == 1
    assert await claimed(log, 2.5) == []


async def test_a_delivery_told_late_settles_the_row(log: AuditLog) -> None:
    await log.append(batch(outbox=(notice(),)))
    await claimed(log)
    await claimed(log, 2)

    await log.settle_outbox("n-1", Outcome(attempt=1, state=OutboxState.DELIVERED), batch(receipt()))
    later = Outcome(attempt=2, state=OutboxState.PENDING, retry_at=at(3))
    await log.settle_outbox("n-1", later, batch(receipt(NOTICE_FAILED)))

    assert await claimed(log, 99) == []
    assert len(await log.stream("delivery/SH-001")) == 2


async def test_the_receipt_of_an_unknown_row_is_refused(log: AuditLog) -> None:
    with pytest.raises(KeyError):
        await log.settle_outbox("none", Outcome(attempt=1, state=OutboxState.DELIVERED), batch(receipt()))

    assert (await log.head()).sequence == 0


async def test_two_relays_share_the_rows(log: AuditLog) -> None:
    await log.append(batch(outbox=tuple(notice(f"n-{n:02}") for n in range(40))))

    shares = await asyncio.gather(*(claimed(log, limit=10) for _ in range(6)))

    taken = [row.row_id for share in shares for row in share]
    assert len(taken) == len(set(taken))
    assert await claimed(log, 2, limit=99) != []


async def test_the_backlog_counts_what_waits_by_channel(log: AuditLog) -> None:
    await log.append(batch(outbox=(notice("a", created_at=at(3)), notice("b", priority="low", created_at=at(1)))))
    await log.append(batch(outbox=(notice("c", channel="kafka", priority="low"),)))

    assert await log.outbox_backlog() == [
        Backlog(channel="kafka", pending=1, oldest_at=START),
        Backlog(channel="mail", pending=2, oldest_at=at(1), urgent_at=at(3)),
    ]
