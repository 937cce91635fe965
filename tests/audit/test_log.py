"""What every audit log does, whatever it is kept in."""

import asyncio
from dataclasses import replace

import pytest

from monitor.audit.kinds import SYSTEM, patient_stream
from monitor.audit.ports import AuditLog
from monitor.audit.records import Origin, Record
from monitor.errors import VersionConflict
from tests.audit.given import START, at, batch, fact


async def everything(log: AuditLog) -> list[Record]:
    return [record async for record in log.read()]


async def test_records_are_numbered_from_one_in_the_log_and_in_their_streams(log: AuditLog) -> None:
    await log.append(batch(fact("A"), fact("B"), fact("A", 2)))
    await log.append(batch(fact("B", 2)))

    assert [(r.sequence, r.stream, r.version) for r in await everything(log)] == [
        (1, "patient/A", 1),
        (2, "patient/B", 1),
        (3, "patient/A", 2),
        (4, "patient/B", 2),
    ]


async def test_a_record_comes_back_as_it_was_written(log: AuditLog) -> None:
    new = fact(
        "Ä-1 'x' \\ \"",
        payload='{"value":"1.10","unit":"µmol/L","x":"\\u0000"}',
        origin=Origin("safety.lab", 2, 7),
        dedupe_key="k",
        waited=True,
    )

    [written] = await log.append(batch(new))

    assert await everything(log) == [written]
    assert {name: getattr(written, name) for name in ("payload", "origin", "waited", "stream", "known_at")} == {
        name: getattr(new, name) for name in ("payload", "origin", "waited", "stream", "known_at")
    }
    assert written.recorded_at == START


async def test_a_known_record_is_dropped_before_numbering(log: AuditLog) -> None:
    await log.append(batch(fact(dedupe_key="k1")))

    written = await log.append(batch(fact(dedupe_key="k1"), fact(dedupe_key="k2"), fact(dedupe_key="k2")))

    assert [r.sequence for r in written] == [2]
    assert await log.known({"k1", "k2", "k3"}) == {"k1", "k2"}


async def test_a_batch_of_duplicates_changes_nothing(log: AuditLog) -> None:
    await log.append(batch(fact(dedupe_key="k1")))
    before = await log.head()

    assert await log.append(batch(fact(dedupe_key="k1"))) == []
    assert await log.head() == before


async def test_another_writers_record_in_between_is_a_version_conflict(log: AuditLog) -> None:
    stream = patient_stream("A")
    await log.append(batch(fact("A"), expected={stream: 0}))

    with pytest.raises(VersionConflict) as refused:
        await log.append(batch(fact("A", 2), expected={stream: 0}))

    assert (refused.value.stream, refused.value.expected, refused.value.found) == (stream, 0, 1)
    assert len(await everything(log)) == 1


async def test_versions_past_ten_are_compared_as_numbers(log: AuditLog) -> None:
    stream = patient_stream("A")
    for version in range(12):
        await log.append(batch(fact("A", version), expected={stream: version}))

    with pytest.raises(VersionConflict):
        await log.append(batch(fact("A"), expected={stream: 9}))
    [record] = await log.append(batch(fact("A"), expected={stream: 12}))

    assert record.version == 13


async def test_a_conflict_in_one_stream_leaves_nothing_of_the_batch(log: AuditLog) -> None:
    await log.append(batch(fact("A")))

    with pytest.raises(VersionConflict):
        await log.append(batch(fact("B"), fact("A"), expected={patient_stream("B"): 0, patient_stream("A"): 0}))

    assert [r.stream for r in await everything(log)] == ["patient/A"]
    assert (await log.head()).sequence == 1


async def test_reading_goes_on_after_a_sequence_and_stops_at_a_limit(log: AuditLog) -> None:
    await log.append(batch(*(fact(str(n % 3), n) for n in range(1, 21))))

    assert [r.sequence async for r in log.read(after=5, limit=4)] == [6, 7, 8, 9]
    assert [r.sequence async for r in log.read(after=17)] == [18, 19, 20]
    assert [r.sequence async for r in log.read(after=2, limit=2, stream="patient/1")] == [4, 7]
    assert [r.version for r in await log.stream("patient/1")] == [1, 2, 3, 4, 5, 6, 7]
    assert await log.stream("patient/none") == []


async def test_a_long_log_is_read_page_by_page(log: AuditLog) -> None:
    await log.append(batch(*(fact(str(n % 700), n) for n in range(2_500))))

    assert [r.sequence async for r in log.read()] == list(range(1, 2_501))
    assert len([r async for r in log.read(limit=2_001)]) == 2_001


async def test_concurrent_appenders_leave_no_gap_and_lose_nothing(log: AuditLog) -> None:
    async def write(writer: int) -> None:
        for number in range(10):
            await log.append(batch(*(fact(f"P{writer}", number, stream=SYSTEM) for _ in range(3))))

    await asyncio.gather(*(write(writer) for writer in range(6)))

    records = await everything(log)
    assert [r.sequence for r in records] == list(range(1, 181))
    assert [r.version for r in records] == list(range(1, 181))


async def test_a_time_without_a_zone_is_refused(log: AuditLog) -> None:
    with pytest.raises(ValueError, match="zone"):
        await log.append(batch(replace(fact(), known_at=at(1).replace(tzinfo=None))))

    assert (await log.head()).sequence == 0


async def test_an_actor_that_no_database_can_hold_is_still_recorded(log: AuditLog) -> None:
    [record] = await log.append(batch(fact(actor="nurse\x007")))

    assert record.actor == "nurse\ufffd7"
    assert await everything(log) == [record]
