"""Checkpoints of a real log: made of its head, kept, published, and never two that contradict each other."""

import asyncio
import logging
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from monitor.audit.database import Database
from monitor.audit.leading import Leases
from monitor.audit.log import SqlAuditLog
from monitor.audit.proof.checkpoint import SignedCheckpoint, read_checkpoint, sign_checkpoint
from monitor.audit.proof.keys import SigningKey
from monitor.audit.proof.making import CheckpointMaker
from monitor.audit.proof.publishing import append_to_file, newest_in, read_file
from monitor.audit.proof.service import Checkpoints, Pace
from monitor.audit.proof.store import Kept, ProofStore
from monitor.audit.proof.tree import TILE
from monitor.errors import MonitorError, ProofInvalid
from tests.audit.given import START, at, batch, fact
from tests.audit.proof.rewriting import rewrite, unchanged, with_another_value, without_one
from tests.audit.rig import HandClock


async def filled(log: SqlAuditLog, count: int, first: int = 0) -> None:
    for start in range(first, first + count, 200):
        numbers = range(start, min(start + 200, first + count))
        await log.append(batch(*(fact(f"P{number % 3}", number) for number in numbers)))


async def leaves(store: ProofStore, size: int) -> list[bytes]:
    return [leaf async for page in store.leaves(0, size) for leaf in page]


class FakeTopic:
    """The broker, up or down."""

    def __init__(self) -> None:
        self.up = True
        self.messages: list[tuple[str, bytes | None, bytes]] = []

    async def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        if not self.up:
            raise MonitorError("the broker did not take a message")
        self.messages.append((topic, key, value))


class Seen:
    """The metrics."""

    def __init__(self) -> None:
        self.size = 0
        self.made_at = START
        self.kept = True

    def checkpoint_is(self, size: int, made_at: datetime) -> None:
        self.size, self.made_at = size, made_at

    def checkpoint_kept(self, kept: bool) -> None:
        self.kept = kept


class House:
    """A worker's maker of checkpoints, with a clock set by hand."""

    def __init__(self, log: SqlAuditLog, key: SigningKey, file: Path | None = None, holder: str = "w1") -> None:
        self.store = ProofStore(log)
        self.clock = HandClock()
        self.clock.at = START
        self.topic = FakeTopic()
        self.seen = Seen()
        maker = CheckpointMaker(self.store, [key], lambda: newest_in(file))
        self.service = Checkpoints(
            Leases(log, holder, timedelta(seconds=15)),
            self.store,
            maker,
            self.clock,
            self.topic,
            self.seen,
            pace=Pace(timedelta(minutes=1), 100),
            file=file,
        )

    async def look(self) -> Kept | None:
        """One look at the head."""
        await self.service._round(self.service._pace)
        return await self.store.newest()


async def test_a_checkpoint_commits_to_every_record(sql_log: SqlAuditLog, store: ProofStore, key: SigningKey) -> None:
    maker = CheckpointMaker(store, [key])
    assert await maker.make(START) is None

    for size in (1, 7, 300, 2 * TILE, 2 * TILE + 1):
        await filled(sql_log, size - await store.size(), await store.size())
        made = await maker.make(at(size))
        assert made is not None
        assert made.size == size
        kept = await store.newest()
        assert kept is not None
        assert (kept.size, kept.root, kept.note, kept.made_at) == (size, made.root, str(made.note), at(size))
    assert [tile.number for tile in await store.tiles(0, 9)] == [0, 1]
    assert await maker.make(at(1_000)) is None


async def test_a_maker_that_starts_anew_signs_the_same_tree(
    sql_log: SqlAuditLog, store: ProofStore, key: SigningKey
) -> None:
    await filled(sql_log, TILE + 5)
    await CheckpointMaker(store, [key]).make(START)
    await filled(sql_log, TILE, TILE + 5)
    one = await CheckpointMaker(store, [key]).make(at(1))
    spoiled = "UPDATE tree_tiles SET root = note FROM (SELECT root AS note FROM checkpoints LIMIT 1) AS other"
    async with sql_log.database.writing() as connection:
        await connection.execute(text(spoiled))
    await filled(sql_log, 1, 2 * TILE + 5)
    other = await CheckpointMaker(store, [key]).make(at(2))

    assert one is not None
    assert other is not None
    assert other.size == 2 * TILE + 6


@pytest.mark.parametrize("change", [with_another_value, without_one], ids=["altered", "taken out"])
async def test_a_rewritten_log_is_not_signed(
    url: str, sql_log: SqlAuditLog, store: ProofStore, key: SigningKey, change: Any
) -> None:
    await filled(sql_log, 40)
    await CheckpointMaker(store, [key]).make(START)
    await sql_log.close()
    await rewrite(url, change)
    log = await SqlAuditLog.open(url)
    await filled(log, 5, 40)

    with pytest.raises(ProofInvalid, match="nothing is signed"):
        await CheckpointMaker(ProofStore(log), [key]).make(at(1))
    await log.close()


async def test_a_log_restored_from_an_old_backup_is_not_signed(
    url: str, sql_log: SqlAuditLog, store: ProofStore, key: SigningKey, tmp_path: Path
) -> None:
    """Its own checkpoints were rolled back with it; the file outside was not."""
    file = tmp_path / "checkpoints"
    await filled(sql_log, 40)
    made = await CheckpointMaker(store, [key]).make(START)
    assert made is not None
    append_to_file(file, made)
    await sql_log.close()
    await rewrite(url, lambda records: records[:30], "DELETE FROM checkpoints")
    log = await SqlAuditLog.open(url)

    with pytest.raises(ProofInvalid, match="30 records where a checkpoint was signed over 40"):
        await CheckpointMaker(ProofStore(log), [key], lambda: newest_in(file)).make(at(1))
    await log.close()


async def test_a_checkpoint_is_made_when_time_or_records_are_due(sql_log: SqlAuditLog, key: SigningKey) -> None:
    house = House(sql_log, key)
    assert await house.look() is None
    await filled(sql_log, 1)
    first = await house.look()
    assert first is not None
    assert first.size == 1
    await filled(sql_log, 99, 1)
    assert await house.look() == first

    await filled(sql_log, 1, 100)
    by_records = await house.look()
    assert by_records is not None
    assert by_records.size == 101

    await filled(sql_log, 1, 101)
    assert await house.look() == by_records
    house.clock.at += timedelta(minutes=1)
    by_time = await house.look()
    assert by_time is not None
    assert by_time.size == 102
    house.clock.at += timedelta(minutes=5)
    assert await house.look() == by_time
    assert house.seen.size == 102


async def test_the_last_checkpoint_counts_all_that_was_written(sql_log: SqlAuditLog, key: SigningKey) -> None:
    house = House(sql_log, key)
    await filled(sql_log, 1)
    running = asyncio.create_task(house.service.run())
    await asyncio.sleep(0)
    house.service.stop()
    await running
    await filled(sql_log, 1, 1)
    await house.service.close()

    newest = await house.store.newest()
    assert newest is not None
    assert newest.size == 2
    assert await sql_log.acquire_lease("checkpoint", "w2", ttl=timedelta(seconds=15), now=START) is not None


async def test_a_checkpoint_goes_to_the_file_the_topic_and_the_foot_of_notices(
    sql_log: SqlAuditLog, key: SigningKey, tmp_path: Path
) -> None:
    file = tmp_path / "checkpoints"
    house = House(sql_log, key, file)
    assert house.service.footer() is None
    await filled(sql_log, 3)
    await house.look()
    await filled(sql_log, 3, 3)
    house.clock.at += timedelta(minutes=1)
    newest = await house.look()

    assert newest is not None
    assert [signed.size for signed in read_file(file)] == [3, 6]
    assert house.topic.messages[-1] == ("safety.checkpoint", b"example.org/trial", newest.note.encode())
    assert house.service.footer() == f"log checkpoint: 6, {newest.root.hex()[:16]}, key {key.verifier.id.hex()}"


async def test_a_broker_that_was_down_gets_the_newest_when_it_is_back(
    sql_log: SqlAuditLog, key: SigningKey, caplog: pytest.LogCaptureFixture
) -> None:
    house = House(sql_log, key)
    house.topic.up = False
    await filled(sql_log, 3)
    with caplog.at_level(logging.ERROR):
        await house.look()
        await house.look()
    assert len(caplog.records) == 1
    house.topic.up = True
    await house.look()

    assert [value for _, _, value in house.topic.messages] == [(await kept(house)).encode()]


async def kept(house: House) -> str:
    newest = await house.store.newest()
    assert newest is not None
    return newest.note


async def test_of_two_workers_one_makes_them_and_both_know_the_newest(sql_log: SqlAuditLog, key: SigningKey) -> None:
    one, other = House(sql_log, key, holder="w1"), House(sql_log, key, holder="w2")
    await filled(sql_log, 3)
    await one.look()
    await other.look()
    await filled(sql_log, 200, 3)
    await other.look()
    assert (await read(one)).size == 3
    await one.look()
    await other.look()

    assert (await read(one)).size == 203
    assert other.topic.messages == []
    assert one.service.footer() == other.service.footer()


async def test_a_log_that_nobody_ever_signed_is_behind_since_the_start(
    sql_log: SqlAuditLog, key: SigningKey, tmp_path: Path
) -> None:
    append_to_file(tmp_path / "file", sign_checkpoint(90, bytes(32), [key]))  # of another log: nothing is signed
    house = House(sql_log, key, tmp_path / "file")
    began = house.clock.at
    assert await house.service.behind_since() is None
    await filled(sql_log, 3)
    house.clock.at += timedelta(hours=1)

    assert await house.look() is None
    assert await house.service.behind_since() == began


async def read(house: House) -> SignedCheckpoint:
    return read_checkpoint(await kept(house))


@pytest.mark.parametrize("statement", ["UPDATE checkpoints SET root = root", "DELETE FROM checkpoints"])
async def test_the_database_refuses_to_change_a_checkpoint(
    url: str, sql_log: SqlAuditLog, store: ProofStore, key: SigningKey, statement: str
) -> None:
    await filled(sql_log, 3)
    await CheckpointMaker(store, [key]).make(START)
    await sql_log.close()
    database = Database(url)

    with pytest.raises(Exception, match="append-only"):
        async with database.writing() as connection:
            await connection.execute(text(statement))
    await database.close()


async def test_a_rewriter_s_tools_work_on_an_honest_log(url: str, sql_log: SqlAuditLog, store: ProofStore) -> None:
    """Else the tests above would show nothing."""
    await filled(sql_log, 10)
    before = await leaves(store, 10)
    await sql_log.close()
    await rewrite(url, unchanged)
    log = await SqlAuditLog.open(url)
    assert await leaves(ProofStore(log), 10) == before
    await log.close()


async def test_a_key_that_never_signs_is_seen_from_the_start_on(sql_log: SqlAuditLog, key: SigningKey) -> None:
    house = House(sql_log, key)
    assert await house.service.behind_since() is None
    await filled(sql_log, 1)
    assert await house.service.behind_since() == START
    await house.look()
    assert await house.service.behind_since() is None


async def test_a_file_that_cannot_be_written_is_told_until_it_can(
    sql_log: SqlAuditLog, key: SigningKey, tmp_path: Path
) -> None:
    folder = tmp_path / "share"
    house = House(sql_log, key, file=folder / "checkpoints.txt")
    await filled(sql_log, 1)
    await house.look()
    assert not house.seen.kept
    folder.mkdir()
    await house.look()
    assert house.seen.kept
