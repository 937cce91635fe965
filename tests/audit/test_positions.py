"""Where each (topic, partition) is on the log, and who may say so."""

from datetime import timedelta

import pytest

from monitor.audit.batch import Owner, Position
from monitor.audit.kinds import POSITIONS_ADOPTED, SYSTEM
from monitor.audit.ports import AuditLog
from monitor.errors import Fenced, VersionConflict
from tests.audit.given import START, at, batch, fact

LAB = ("safety.lab", 0)
MRD = ("safety.mrd", 0)


async def owned(log: AuditLog, instance: str = "w1") -> Owner:
    owner = await log.start_instance(instance)
    await log.claim_ownership([LAB, MRD], owner)
    return owner


async def test_a_position_is_written_with_the_records(log: AuditLog) -> None:
    owner = await owned(log)
    position = Position(next_offset=7, watermark=at(5), last_digest="d6")

    await log.append(batch(fact(), positions={LAB: position}, owner=owner))

    assert await log.positions() == {LAB: position}


async def test_a_refused_batch_moves_no_position(log: AuditLog) -> None:
    owner = await owned(log)

    positions = {LAB: Position(next_offset=7)}
    with pytest.raises(VersionConflict):
        await log.append(batch(fact("A"), expected={"patient/A": 3}, positions=positions, owner=owner))

    assert await log.positions() == {}


async def test_a_redelivery_from_behind_moves_no_position_back(log: AuditLog) -> None:
    owner = await owned(log)
    ahead = Position(next_offset=9, watermark=at(9), last_digest="d8")
    await log.append(batch(positions={LAB: ahead}, owner=owner))

    behind = Position(next_offset=4, watermark=at(3), last_digest="d3")
    await log.append(batch(positions={LAB: behind}, owner=owner))

    assert await log.positions() == {LAB: ahead}


async def test_a_position_keeps_what_a_batch_does_not_know(log: AuditLog) -> None:
    owner = await owned(log)
    await log.append(batch(positions={LAB: Position(next_offset=1, watermark=at(9), last_digest="d0")}, owner=owner))

    await log.append(batch(positions={LAB: Position(next_offset=2)}, owner=owner))

    assert await log.positions() == {LAB: Position(next_offset=2, watermark=at(9), last_digest="d0")}


async def test_adopted_positions_go_back_and_the_act_is_recorded(log: AuditLog) -> None:
    owner = await owned(log)
    await log.append(batch(positions={LAB: Position(next_offset=900, last_digest="old")}, owner=owner))

    act = fact(stream=SYSTEM, kind=POSITIONS_ADOPTED, actor="admin")
    [record] = await log.adopt_positions({LAB: Position(next_offset=0)}, batch(act))

    assert record.kind == POSITIONS_ADOPTED
    assert await log.positions() == {LAB: Position(next_offset=0)}


async def test_a_partition_of_another_owner_is_fenced(log: AuditLog) -> None:
    first = await owned(log, "w1")
    second = await log.start_instance("w2")
    await log.claim_ownership([LAB], second)

    with pytest.raises(Fenced):
        await log.append(batch(fact(), positions={LAB: Position(next_offset=1)}, owner=first))
    await log.append(batch(fact(), positions={MRD: Position(next_offset=1)}, owner=first))
    await log.append(batch(fact(), positions={LAB: Position(next_offset=1)}, owner=second))

    assert (await log.head()).sequence == 2


async def test_one_lost_partition_stops_the_whole_batch(log: AuditLog) -> None:
    first = await owned(log, "w1")
    await log.claim_ownership([LAB], await log.start_instance("w2"))

    positions = {LAB: Position(next_offset=1), MRD: Position(next_offset=1)}
    with pytest.raises(Fenced):
        await log.append(batch(fact(), positions=positions, owner=first))

    assert (await log.head()).sequence == 0
    assert await log.positions() == {}


async def test_a_newer_start_of_the_same_instance_ends_the_older(log: AuditLog) -> None:
    older = await owned(log, "w1")
    newer = await log.start_instance("w1")

    assert newer.epoch > older.epoch
    with pytest.raises(Fenced):
        await log.append(batch(fact(), owner=older))
    with pytest.raises(Fenced):
        await log.claim_ownership([LAB], older)
    await log.claim_ownership([LAB], newer)
    await log.append(batch(fact(), positions={LAB: Position(next_offset=1)}, owner=newer))


async def test_a_partition_that_comes_back_is_claimed_again(log: AuditLog) -> None:
    first = await owned(log, "w1")
    await log.claim_ownership([LAB], await log.start_instance("w2"))

    await log.claim_ownership([LAB], first)

    await log.append(batch(fact(), positions={LAB: Position(next_offset=1)}, owner=first))


async def test_without_an_owner_a_claimed_partition_is_fenced(log: AuditLog) -> None:
    await owned(log)

    with pytest.raises(Fenced):
        await log.append(batch(positions={LAB: Position(next_offset=1)}))
    await log.append(batch(positions={("unclaimed", 0): Position(next_offset=1)}))


async def test_a_lease_is_held_by_one_and_renewed(log: AuditLog) -> None:
    ttl = timedelta(minutes=1)

    assert await log.acquire_lease("clock", "w1", ttl=ttl, now=START) == 1
    assert await log.acquire_lease("clock", "w2", ttl=ttl, now=at(0.5)) is None
    assert await log.acquire_lease("clock", "w1", ttl=ttl, now=at(0.9)) == 1
    assert await log.acquire_lease("clock", "w2", ttl=ttl, now=at(1.5)) is None
    assert await log.acquire_lease("relay", "w2", ttl=ttl, now=START) == 1


async def test_a_lease_that_ran_out_goes_to_the_next_with_a_higher_epoch(log: AuditLog) -> None:
    ttl = timedelta(minutes=1)
    await log.acquire_lease("clock", "w1", ttl=ttl, now=START)

    assert await log.acquire_lease("clock", "w2", ttl=ttl, now=at(1)) == 2
    assert await log.acquire_lease("clock", "w1", ttl=ttl, now=at(1.5)) is None


async def test_a_lease_that_was_taken_by_a_clock_hours_ahead_holds_nobody_off(log: AuditLog) -> None:
    ttl = timedelta(minutes=1)
    await log.acquire_lease("clock", "w1", ttl=ttl, now=at(120))

    assert await log.acquire_lease("clock", "w2", ttl=ttl, now=START) == 2
    assert await log.acquire_lease("clock", "w1", ttl=ttl, now=START) is None


async def test_a_lease_given_up_is_free_at_once(log: AuditLog) -> None:
    ttl = timedelta(minutes=1)
    await log.acquire_lease("clock", "w1", ttl=ttl, now=START)

    await log.release_lease("clock", "w2")
    assert await log.acquire_lease("clock", "w2", ttl=ttl, now=START) is None
    await log.release_lease("clock", "w1")
    assert await log.acquire_lease("clock", "w2", ttl=ttl, now=START) == 2
