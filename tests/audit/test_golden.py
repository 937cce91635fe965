"""A log that an earlier release wrote is read by this one: migrated, verified, replayed, and gone on with."""

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.audit.kinds import patient_stream
from monitor.audit.log import SqlAuditLog
from monitor.audit.proof.anchors import Anchor, Anchors, anchor_of
from monitor.audit.proof.checkpoint import read_checkpoint
from monitor.audit.proof.making import CheckpointMaker
from monitor.audit.proof.store import ProofStore
from monitor.audit.protocols import activations
from monitor.audit.read_models import folded
from monitor.audit.replay import replay
from monitor.audit.schema import is_current, upgrade
from monitor.audit.verdict import Verdict
from monitor.audit.verify import verify
from monitor.recorder.activating import files_for
from tests.audit.export.rig import KEY
from tests.audit.rig import PROTOCOL, HandClock, messages_of, recorder
from tests.core import charts
from tests.support.postgres import PostgresCluster

FOLDER = Path(__file__).parent / "golden"
LOGS = sorted(path.name.removesuffix(".gz") for path in FOLDER.glob("*.gz"))
LATER = charts.on_day(900)


@pytest.fixture(params=LOGS)
def golden(request: pytest.FixtureRequest) -> str:
    """The log of a release on one database: `RELEASE.sqlite` or `RELEASE.sql`."""
    return str(request.param)


@pytest.fixture
def restored(golden: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that holds it."""
    content = gzip.decompress((FOLDER / f"{golden}.gz").read_bytes())
    if golden.endswith(".sqlite"):
        (tmp_path / "log.db").write_bytes(content)
        return f"sqlite:///{tmp_path / 'log.db'}"
    cluster: PostgresCluster = request.getfixturevalue("postgres")
    url = cluster.database()
    cluster.sql(content.decode(), database=url.rpartition("/")[2])
    return url


async def verified(log: SqlAuditLog, *outside: Anchor) -> Verdict:
    return await verify(log, PROTOCOL, anchors=Anchors(outside, ProofStore(log), [KEY.verifier]))


def test_every_release_left_its_log_on_both_databases() -> None:
    assert {name.partition(".sql")[2] for name in LOGS} == {"", "ite"}


async def test_an_old_log_is_migrated_verified_replayed_and_gone_on_with(golden: str, restored: str) -> None:
    said: dict[str, Any] = json.loads((FOLDER / f"{golden}.json").read_text())
    held = anchor_of(read_checkpoint(said["checkpoint"]), "the release's own words", [KEY.verifier])
    await upgrade(restored)
    assert await is_current(restored)
    log = await SqlAuditLog.open(restored)
    head = await log.head()
    assert {"sequence": head.sequence, "running_hash": head.running_hash.hex()} == said["head"]

    verdict = await verified(log, held)

    assert (verdict.broken, verdict.tampered, verdict.undecided) == (None, False, 0)
    assert verdict.decisions == said["decisions"]
    assert {record.kind async for record in log.read()} == set(said["kinds"])
    patients = (await replay(log, PROTOCOL)).patients
    assert {name: patient.events for name, patient in patients.items()} == said["events"]
    assert {row.patient for row in (await folded(log, PROTOCOL)).patients} >= set(said["events"])

    await goes_on(log)
    verdict = await verified(log, held)
    assert (verdict.broken, verdict.tampered) == (None, False)
    assert verdict.records > head.sequence
    await log.close()


async def goes_on(log: SqlAuditLog) -> None:
    """A worker of this program takes the log up, and signs what it wrote."""
    clock = HandClock()
    clock.at = LATER
    in_force = (await activations(log))[-1].protocol
    files = await files_for(log, in_force, instance="worker-1", now=clock.at)
    target = await recorder(log, clock, events_clock=False, files=files)
    while await target.tick(clock.at):
        pass
    facts = len(await log.stream(patient_stream("SH-001")))
    [message] = messages_of([charts.acute(890, skin=4)])
    reached = (await log.positions())[message.tp].next_offset
    await target.record([replace(message, offset=reached)])
    assert len(await log.stream(patient_stream("SH-001"))) > facts
    assert await CheckpointMaker(ProofStore(log), [KEY]).make(clock.at) is not None
