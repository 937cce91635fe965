"""Whoever changes, deletes, swaps, inserts or cuts lines of an export is found, by both verifiers alike."""

import json
import random
import shutil
import zipfile
from collections.abc import Callable
from hashlib import sha256
from itertools import takewhile
from pathlib import Path

import pytest
from sqlalchemy import text

from monitor.audit.database import Database
from monitor.audit.export.offline import verify_export
from monitor.audit.export.selection import Filters
from monitor.audit.export.verifier import BrokenError
from monitor.audit.log import SqlAuditLog
from monitor.audit.proof.keys import SigningKey
from monitor.audit.schema import upgrade
from tests.audit.export.rig import KEY, Found, by_both, exported, filled, lines_of, run_script, write_lines
from tests.audit.given import at
from tests.audit.test_verify import DROP_GUARDS

ROUNDS = 24
HEAD = 40
PROVEN = ["records.jsonl", "records.csv", "alerts.csv"]  # a forger who renews the manifest is found all the same
HASHED = [*PROVEN, "checkpoints.txt", "keys.txt", "verify.py", "FORMAT.md", "READ-ME.txt"]
SELECTIONS = [Filters(), Filters(patient="P1"), Filters(since=at(3), until=at(8))]

Lines = list[bytes]
Mutation = Callable[[Lines, int, random.Random], Lines]


def changed(lines: Lines, at_line: int, chance: random.Random) -> Lines:
    line = bytearray(lines[at_line])
    line[chance.randrange(len(line))] ^= 1 << chance.randrange(7)
    return [*lines[:at_line], bytes(line), *lines[at_line + 1 :]]


def deleted(lines: Lines, at_line: int, _: random.Random) -> Lines:
    return [*lines[:at_line], *lines[at_line + 1 :]]


def swapped(lines: Lines, at_line: int, chance: random.Random) -> Lines:
    others = [number for number in range(at_line + 1, len(lines)) if lines[number] != lines[at_line]]
    if not others:
        return deleted(lines, at_line, chance)
    other = chance.choice(others)
    found = [*lines]
    found[at_line], found[other] = found[other], found[at_line]
    return found


def inserted(lines: Lines, at_line: int, chance: random.Random) -> Lines:
    return [*lines[:at_line], chance.choice(lines), *lines[at_line:]]


def cut(lines: Lines, at_line: int, chance: random.Random) -> Lines:
    line = lines[at_line]
    return [*lines[:at_line], line[: chance.randrange(len(line))]]


MUTATIONS: list[Mutation] = [changed, deleted, swapped, inserted, cut]


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("selection", SELECTIONS, ids=["all", "patient", "time"])
async def test_a_line_of_the_records_is_found_and_its_record_named(
    sql_log: SqlAuditLog, tmp_path: Path, selection: Filters, mutation: Mutation
) -> None:
    await filled(sql_log)
    await exported(sql_log, tmp_path / "honest", selection)
    lines = lines_of(tmp_path / "honest" / "records.jsonl")
    for seed in range(ROUNDS):
        chance = random.Random(seed)
        victim = chance.randrange(len(lines))
        mutated = mutation(lines, victim, chance)
        found = after(tmp_path, "records.jsonl", mutated, renewed=seed % 2 == 0)

        assert found.sequence == first_wrong(lines, mutated), (seed, found)


@pytest.mark.parametrize("selection", SELECTIONS, ids=["all", "patient", "time"])
async def test_a_line_of_any_file_is_found(sql_log: SqlAuditLog, tmp_path: Path, selection: Filters) -> None:
    await filled(sql_log)
    await exported(sql_log, tmp_path / "honest", selection)
    filtered = ["left-out.jsonl"] if selection != Filters() else []
    for name in [*HASHED, *filtered]:
        lines = lines_of(tmp_path / "honest" / name)
        for seed in range(ROUNDS // 4):
            chance = random.Random(seed)
            mutated = chance.choice(MUTATIONS)(lines, chance.randrange(len(lines)), chance)
            renewed = name in [*PROVEN, *filtered] and seed % 2 == 0

            assert after(tmp_path, name, mutated, renewed=renewed).broken is not None, (name, seed)


@pytest.mark.parametrize("name", ["records.jsonl", "left-out.jsonl", "checkpoints.txt", "keys.txt", "alerts.csv"])
async def test_a_file_that_is_gone_is_missed(sql_log: SqlAuditLog, tmp_path: Path, name: str) -> None:
    await filled(sql_log)
    await exported(sql_log, tmp_path / "honest", Filters(patient="P0"))
    shutil.copytree(tmp_path / "honest", tmp_path / "forged")
    (tmp_path / "forged" / name).unlink()

    assert f"{name} is missing" in str(by_both(tmp_path / "forged").broken)


@pytest.mark.parametrize(
    "change",
    [
        {"filters": {"patient": None, "since": None, "until": None}},
        {"filters": {"patient": "P2", "since": None, "until": None}},
        {"export": 2},
        {"head": {"sequence": 39, "running_hash": "", "root": ""}},
        {"files": {}},
        {"filters": {"patient": 7, "since": None, "until": None}},
        {"head": []},
    ],
    ids=str,
)
async def test_a_manifest_that_says_otherwise_is_found(
    sql_log: SqlAuditLog, tmp_path: Path, change: dict[str, object]
) -> None:
    await filled(sql_log)
    await exported(sql_log, tmp_path / "export", Filters(patient="P1"))
    path = tmp_path / "export" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))

    assert by_both(tmp_path / "export").broken is not None


async def test_a_whole_export_of_another_log_does_not_fit_the_checkpoints_of_this_one(
    sql_log: SqlAuditLog, sqlite_url: str, tmp_path: Path
) -> None:
    await filled(sql_log)
    await exported(sql_log, tmp_path / "honest")
    other = await another_log(tmp_path)
    await exported(other, tmp_path / "forged")
    await other.close()
    assert by_both(tmp_path / "forged").broken is None

    shutil.copy(tmp_path / "honest" / "checkpoints.txt", tmp_path / "forged" / "checkpoints.txt")
    renew(tmp_path / "forged")

    found = by_both(tmp_path / "forged")
    assert "is not what the checkpoint of 8 records was made over" in str(found.broken)
    assert found.sequence == 1
    assert sqlite_url


async def test_a_forger_s_own_key_is_seen_by_whoever_holds_the_right_one(sql_log: SqlAuditLog, tmp_path: Path) -> None:
    await filled(sql_log)
    await exported(sql_log, tmp_path / "export")
    held = tmp_path / "held"
    held.write_text(SigningKey(KEY.name, bytes(32)).verifier.line)

    assert run_script(tmp_path / "export").returncode == 0
    assert run_script(tmp_path / "export", "--keys", str(held)).returncode == 1
    with pytest.raises(BrokenError, match="signed by none of the keys"):
        verify_export(tmp_path / "export", [SigningKey(KEY.name, bytes(32)).verifier])


async def test_the_export_of_a_log_that_was_tampered_with_names_the_record(
    url: str, sql_log: SqlAuditLog, tmp_path: Path
) -> None:
    await filled(sql_log)
    await sql_log.close()
    database = Database(url)
    async with database.writing() as connection:
        for statement in DROP_GUARDS[connection.dialect.name]:
            await connection.execute(text(statement))
        await connection.execute(text("UPDATE audit_log SET actor = 'nobody' WHERE sequence = 7"))
        await connection.execute(text("DELETE FROM audit_log WHERE sequence > 36"))
    await database.close()
    log = await SqlAuditLog.open(url)
    await exported(log, tmp_path / "all")
    await exported(log, tmp_path / "late", Filters(since=at(4)))
    await log.close()

    assert by_both(tmp_path / "all").sequence == 7
    assert by_both(tmp_path / "late").sequence == 37


async def test_a_zip_that_was_cut_or_spoilt_is_found(sql_log: SqlAuditLog, tmp_path: Path) -> None:
    await filled(sql_log)
    await exported(sql_log, tmp_path / "export")
    await exported(sql_log, tmp_path / "export.zip")
    content = (tmp_path / "export.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        place = archive.getinfo("records.jsonl").header_offset + 500
    spoilt = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]

    for forged in (spoilt, content[:-30], content[: len(content) // 2]):
        (tmp_path / "forged.zip").write_bytes(forged)
        done = run_script(tmp_path / "export", str(tmp_path / "forged.zip"))

        assert (done.returncode, done.stderr[:8], done.stderr.count("\n")) == (1, "BROKEN: ", 1)


def after(folder: Path, name: str, lines: Lines, *, renewed: bool) -> Found:
    """What both verifiers find in a copy of the honest export with these lines; `renewed`: its manifest fits them."""
    forged = folder / "forged"
    shutil.rmtree(forged, ignore_errors=True)
    shutil.copytree(folder / "honest", forged)
    write_lines(forged / name, lines)
    if renewed:
        renew(forged)
    return by_both(forged)


def first_wrong(honest: Lines, forged: Lines) -> int:
    """The record whose line is the first that is not the honest one; past the last, the one behind the head."""
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(honest, forged, strict=False)))
    return int(json.loads(honest[alike])["sequence"]) if alike < len(honest) else HEAD + 1


def renew(export: Path) -> None:
    """Make the manifest fit the files."""
    path = export / "manifest.json"
    manifest = json.loads(path.read_text())
    for name in manifest["files"]:
        content = (export / name).read_bytes()
        manifest["files"][name] = {"bytes": len(content), "sha256": sha256(content).hexdigest()}
    path.write_text(json.dumps(manifest))


async def another_log(folder: Path) -> SqlAuditLog:
    url = f"sqlite:///{folder / 'other.db'}"
    await upgrade(url)
    log = await SqlAuditLog.open(url)
    await filled(log)
    return log
