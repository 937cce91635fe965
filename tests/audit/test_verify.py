"""Whoever changes the log behind its guards is found, and the record is named."""

import json
import random
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from monitor.audit import hashing
from monitor.audit.checker import Broken, Checker
from monitor.audit.database import Database
from monitor.audit.integrity import check_log
from monitor.audit.log import SqlAuditLog
from monitor.audit.ports import AuditLog
from monitor.audit.records import NewRecord, Origin
from monitor.audit.schema import upgrade
from monitor.audit.seal import EMPTY_LOG, seal
from monitor.audit.stored import Stored, envelope
from tests.audit.given import at, batch, fact
from tests.support.memory_log import MemoryAuditLog

RECORDS = 40
DROP_GUARDS = {
    "sqlite": [f"DROP TRIGGER audit_log_no_{what}" for what in ("update", "delete", "replace")],
    "postgresql": [f"DROP TRIGGER audit_log_no_{what} ON audit_log" for what in ("change", "truncate")],
}


async def broken(log: AuditLog) -> Broken | None:
    last: Broken | int | None = None
    async for found in check_log(log, Checker()):
        last = found
    return last if isinstance(last, Broken) else None


async def filled(log: AuditLog) -> None:
    for number in range(RECORDS // 4):
        records = (fact(f"P{number % 3}", number, dedupe_key=f"k{number}-{n}") for n in range(4))
        await log.append(batch(*records))


async def tamper(url: str, *statements: str) -> None:
    database = Database(url, writing=True)
    async with database.writing() as connection:
        for statement in [*DROP_GUARDS[connection.dialect.name], *statements]:
            await connection.execute(text(statement))
    await database.close()


async def after(url: str, log: SqlAuditLog, *statements: str) -> Broken | None:
    """What is found broken in a filled log after somebody ran these statements."""
    await filled(log)
    await log.close()
    await tamper(url, *statements)
    again = await SqlAuditLog.open(url, writing=False)
    try:
        return await broken(again)
    finally:
        await again.close()


async def test_an_honest_log_is_whole(log: AuditLog) -> None:
    assert await broken(log) is None
    await filled(log)
    assert await broken(log) is None


@pytest.mark.parametrize(
    ("statement", "sequence", "what"),
    [
        ("UPDATE audit_log SET payload = payload || ' ' WHERE sequence = 7", 7, "payload"),
        ("UPDATE audit_log SET actor = 'nobody' WHERE sequence = 7", 7, "envelope"),
        ("UPDATE audit_log SET recorded_at = replace(recorded_at, '2025', '2024') WHERE sequence = 7", 7, "envelope"),
        ("UPDATE audit_log SET known_at = replace(known_at, 'Z', '+00:00') WHERE sequence = 7", 7, "envelope"),
        ("UPDATE audit_log SET dedupe_key = NULL WHERE sequence = 7", 7, "envelope"),
        ("UPDATE audit_log SET stream = 'patient/P9' WHERE sequence = 7", 7, "version"),
        ("UPDATE audit_log SET salt = payload_hash WHERE sequence = 7", 7, "payload"),
        ("UPDATE audit_log SET leaf_hash = record_hash WHERE sequence = 7", 7, "envelope"),
        ("UPDATE audit_log SET record_hash = leaf_hash WHERE sequence = 7", 7, "link"),
        ("UPDATE audit_log SET scheme = 9 WHERE sequence = 7", 7, "scheme"),
        ("DELETE FROM audit_log WHERE sequence = 7", 7, "missing: the log goes on at 8"),
        ("DELETE FROM audit_log WHERE sequence > 38", 39, "missing: the log ends before its head"),
        ("DELETE FROM audit_log", 1, "missing: the log ends before its head"),
        ("UPDATE audit_head SET sequence = 36", 36, "head"),
        ("UPDATE audit_head SET running_hash = (SELECT leaf_hash FROM audit_log WHERE sequence = 1)", 40, "head"),
    ],
)
async def test_a_change_is_found_and_the_record_named(
    url: str, sql_log: SqlAuditLog, statement: str, sequence: int, what: str
) -> None:
    found = await after(url, sql_log, statement)

    assert found is not None
    assert found.sequence == sequence
    assert what in str(found)


async def test_bytes_that_are_no_text_are_found(sqlite_url: str) -> None:

    await upgrade(sqlite_url)
    log = await SqlAuditLog.open(sqlite_url)

    found = await after(
        sqlite_url, log, "UPDATE audit_log SET payload = CAST(x'7b22fffe22' AS TEXT) WHERE sequence = 23"
    )

    assert found is not None
    assert (found.sequence, found.what) == (23, "it cannot be read: its bytes are no text")


async def test_two_records_swapped_are_found(url: str, sql_log: SqlAuditLog) -> None:
    swap = [
        "UPDATE audit_log SET sequence = 999 WHERE sequence = 9",
        "UPDATE audit_log SET sequence = 9 WHERE sequence = 13",
        "UPDATE audit_log SET sequence = 13 WHERE sequence = 999",
    ]

    found = await after(url, sql_log, *swap)

    assert found is not None
    assert found.sequence == 9


async def test_a_forged_tail_that_is_chained_rightly_does_not_fit_the_head(url: str, sql_log: SqlAuditLog) -> None:
    forged = (
        "INSERT INTO audit_log SELECT 41, scheme, 'patient/new', 1, kind, recorded_at, known_at, waited, actor, NULL,"
    )
    columns = " NULL, NULL, NULL, payload, salt, key_id, payload_hash, previous_hash, leaf_hash, record_hash"

    found = await after(url, sql_log, f"{forged}{columns} FROM audit_log WHERE sequence = 1")

    assert found == Broken(41, "patient/new", "it is beyond the head: no append wrote it")


@pytest.mark.parametrize("seed", range(60))
def test_any_one_byte_changed_is_found_where_it_was_changed(seed: int) -> None:
    chance = random.Random(seed)
    stored = _sealed()
    victim = chance.randrange(len(stored))
    name = chance.choice(Stored._fields)
    forged = [*stored]
    change: dict[str, Any] = {name: _other(getattr(stored[victim], name), chance)}
    forged[victim] = stored[victim]._replace(**change)

    found = Checker().check(forged)

    assert found is not None
    assert found.sequence == stored[victim].sequence


def _sealed() -> list[Stored]:

    records = [fact(f"P{n % 3}", n, dedupe_key=f"k{n}", origin=Origin("safety.lab", 0, n)) for n in range(RECORDS)]
    salts = b"".join(sha256(bytes([n])).digest()[:16] for n in range(RECORDS))
    return list(seal(records, recorded_at=at(0), head=EMPTY_LOG, streams={}, salts=salts).stored)


def _other(value: object, chance: random.Random) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + chance.choice([1, 2, 1000])
    if value is None:
        return "x"
    if isinstance(value, str):
        place = chance.randrange(len(value))
        return value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :]
    assert isinstance(value, bytes)
    place = chance.randrange(len(value))
    return value[:place] + bytes([value[place] ^ 1 << chance.randrange(8)]) + value[place + 1 :]


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)


@given(
    actor=texts, stream=texts, key=st.none() | texts, payload=texts, offset=st.none() | st.integers(0, 2**62),
    waited=st.booleans(),
)  # fmt: skip
def test_the_envelope_is_the_canonical_json_anybody_can_write(
    actor: str, stream: str, key: str | None, payload: str, offset: int | None, waited: bool
) -> None:
    stored = _sealed()[5]._replace(
        actor=actor, stream=stream, dedupe_key=key, payload=payload, origin_offset=offset, waited=waited
    )
    left_out = {"payload", "salt", "leaf_hash", "record_hash"}
    fields = {name: value for name, value in stored._asdict().items() if name not in left_out}
    shown = {name: value.hex() if isinstance(value, bytes) else value for name, value in fields.items()}

    written = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    assert envelope(stored) == written
    assert hashing.leaf_hash(written) == sha256(b"\x00" + written).digest()


new_records = st.builds(
    NewRecord,
    stream=st.sampled_from(["patient/A", "alert/A", "patient/B", "system"]),
    kind=st.just("safety.lab.resulted.v1"),
    payload=texts,
    known_at=st.integers(0, 10_000).map(at),
    actor=texts,
    dedupe_key=st.none() | st.sampled_from("abcdefgh"),
    origin=st.none() | st.builds(Origin, st.just("t"), st.integers(0, 3), st.integers(0, 99)),
    waited=st.booleans(),
)


@settings(deadline=None, max_examples=60)
@given(batches=st.lists(st.lists(new_records, max_size=6), max_size=8))
async def test_whatever_is_appended_the_log_is_whole_and_in_step(batches: list[list[NewRecord]]) -> None:
    log = MemoryAuditLog()
    keys: set[str] = set()
    expected = 0
    for records in batches:
        written = await log.append(batch(*records))
        fresh = {record.dedupe_key for record in records if record.dedupe_key} - keys
        expected += len(fresh) + sum(record.dedupe_key is None for record in records)
        keys |= fresh
        assert {record.dedupe_key for record in written if record.dedupe_key} == fresh

    assert await broken(log) is None
    assert (await log.head()).sequence == expected
    assert [record.sequence async for record in log.read()] == list(range(1, expected + 1))
