"""A thousand random ways to change a log behind its guards, on both databases: each is found, and the record named."""

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import delete, insert, text, update

from monitor.audit.checker import Broken, Checker
from monitor.audit.database import Database
from monitor.audit.integrity import check_log
from monitor.audit.log import SqlAuditLog
from monitor.audit.proof.anchors import Anchor, Anchors, anchor_of
from monitor.audit.proof.making import CheckpointMaker
from monitor.audit.proof.store import ProofStore
from monitor.audit.records import Origin
from monitor.audit.stored import Stored
from monitor.audit.tables import audit_head, audit_log
from tests.audit.export.rig import KEY
from tests.audit.given import START, batch, fact
from tests.audit.proof.rewriting import GUARDS, resealed

RECORDS, HELD = 40, (12, 30)  # checkpoints are of so many records; the last ten are under none
WAYS = 1_000
AT_ONCE = 50


@dataclass(frozen=True)
class Log:
    """All that an insider can write: records and head."""

    records: list[Stored]
    sequence: int
    running: bytes


@dataclass(frozen=True)
class Fault:
    """A changed log, and where the fault lies: the first record that does not hold is between `first` and `last`."""

    log: Log
    first: int
    last: int


Way = Callable[[Log, random.Random], Fault]


def alter(log: Log, chance: random.Random) -> Fault:
    """One value of one record."""
    place, name = chance.randrange(RECORDS), chance.choice(Stored._fields)
    change: dict[str, Any] = {name: _other(name, getattr(log.records[place], name), chance)}
    changed = log.records[place]._replace(**change)
    return _at(place + 1, log, [*log.records[:place], changed, *log.records[place + 1 :]])


def remove(log: Log, chance: random.Random) -> Fault:
    """One record, and perhaps the numbers of all behind it are closed up."""
    place = chance.randrange(RECORDS)
    rest = log.records[place + 1 :]
    if chance.random() < 0.5:
        rest = [record._replace(sequence=record.sequence - 1) for record in rest]
    return _at(place + 1, log, [*log.records[:place], *rest])


def swap(log: Log, chance: random.Random) -> Fault:
    """The places, or what they say, of two records."""
    one, other = sorted(chance.sample(range(RECORDS), 2))
    records, names = list(log.records), chance.choice([("sequence",), ("payload", "salt"), ("payload",)])
    for place, from_where in ((one, other), (other, one)):
        records[place] = records[place]._replace(**{name: getattr(log.records[from_where], name) for name in names})
    return _at(one + 1, log, records)


def put_in(log: Log, chance: random.Random) -> Fault:
    """A record that nobody recorded, with the numbers behind it pushed on."""
    place = chance.randrange(RECORDS + 1)
    forged = log.records[chance.randrange(RECORDS)]._replace(
        sequence=place + 1, stream="patient/forged", version=1, previous_hash=bytes(32), dedupe_key=None
    )
    rest = [record._replace(sequence=record.sequence + 1) for record in log.records[place:]]
    return _at(place + 1, log, [*log.records[:place], forged, *rest])


def cut_off(log: Log, chance: random.Random) -> Fault:
    """The end; perhaps the head is moved back, too."""
    kept = chance.randrange(RECORDS)
    if chance.random() < 0.5:
        return _at(kept + 1, log, log.records[:kept])
    moved = replace(log, records=log.records[:kept], sequence=kept)
    return Fault(moved, max(kept, 1), kept + 1)


def rechain(log: Log, chance: random.Random) -> Fault:
    """One record says something else, and all behind it is sealed anew, the head too: checkpoints alone show it."""
    place = chance.randrange(max(HELD))
    records = list(log.records)
    records[place] = records[place]._replace(payload='{"number":"forged"}')
    sealed, running = resealed(records)
    return Fault(Log(sealed, RECORDS, running), max([0, *(size for size in HELD if size <= place)]) + 1, place + 1)


def roll_back(log: Log, chance: random.Random) -> Fault:
    """The log as it once was, its head too: honest in itself, and older than a checkpoint."""
    kept = chance.randrange(max(HELD))
    sealed, running = resealed(log.records[:kept])
    return Fault(Log(sealed, kept, running), kept + 1, kept + 1)


WAYS_OF: tuple[Way, ...] = (alter, alter, alter, remove, swap, put_in, cut_off, rechain, roll_back)


def _at(sequence: int, log: Log, records: list[Stored]) -> Fault:
    return Fault(replace(log, records=records), sequence, sequence)


def _other(name: str, value: object, chance: random.Random) -> object:
    """Another value of the column, such as the database takes."""
    if name == "waited":
        return not value
    if name in {"stream", "dedupe_key"}:  # a likely one is taken, and the database itself refuses it twice
        return f"{value}x"
    if isinstance(value, int):
        return value + chance.choice([1_000, 10**9])
    if isinstance(value, bytes):
        place = chance.randrange(len(value))
        return value[:place] + bytes([value[place] ^ 1 << chance.randrange(8)]) + value[place + 1 :]
    if value is None:
        return 7 if name in {"origin_partition", "origin_offset"} else "x"
    place = chance.randrange(len(str(value)))
    return f"{str(value)[:place]}{chr(ord(str(value)[place]) ^ 1)}{str(value)[place + 1 :]}"


class Insider:
    """Whoever has every right on the database, and none on the checkpoints that an auditor holds."""

    def __init__(self, database: Database, honest: Log, held: Anchor) -> None:
        self._database, self.honest, self._held = database, honest, held

    async def write(self, log: Log) -> None:
        """Put this log in the place of the one there is."""
        async with self._database.writing() as connection:
            await connection.execute(delete(audit_log))
            if log.records:
                await connection.execute(insert(audit_log), [record._asdict() for record in log.records])
            await connection.execute(update(audit_head).values(sequence=log.sequence, running_hash=log.running))

    async def found(self) -> Broken | None:
        """What a verifier finds who holds one checkpoint beside those of the database."""
        log = SqlAuditLog(self._database)
        anchors = Anchors([self._held], ProofStore(log), [KEY.verifier])
        found: list[Any] = [each async for each in check_log(log, Checker(), anchors)]
        return found[-1] if found and isinstance(found[-1], Broken) else None


@pytest_asyncio.fixture
async def insider(url: str, sql_log: SqlAuditLog) -> AsyncIterator[Insider]:
    maker = CheckpointMaker(ProofStore(sql_log), [KEY])
    made = None
    for number in range(1, RECORDS + 1):
        record = fact(f"P{number % 4}", number, dedupe_key=f"k{number}", origin=Origin("safety.lab", 0, number))
        await sql_log.append(batch(record))
        made = await maker.make(START) or made if number in HELD else made
    assert made is not None
    records = [Stored._make(row) async for page in sql_log.stored() for row in page]
    head = await sql_log.head()
    await sql_log.close()
    database = Database(url)
    async with database.writing() as connection:
        for statement in GUARDS[connection.dialect.name]:
            await connection.execute(text(statement))
    held = anchor_of(made, "the auditor's safe", [KEY.verifier])
    yield Insider(database, Log(records, head.sequence, head.running_hash), held)
    await database.close()


@pytest.mark.parametrize("first", range(0, WAYS, AT_ONCE))
async def test_every_random_change_is_found_and_the_record_named(insider: Insider, first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        chance = random.Random(seed)
        way = chance.choice(WAYS_OF)
        fault = way(insider.honest, chance)
        await insider.write(fault.log)

        found = await insider.found()

        assert found is not None, f"{way.__name__} of seed {seed} was not found"
        assert fault.first <= found.sequence <= fault.last, f"{way.__name__} of seed {seed}: {found}"
    await insider.write(insider.honest)
    assert await insider.found() is None
