"""On PostgreSQL the worker's role adds checkpoints and changes none; an inspector's reads them."""

import subprocess
from pathlib import Path

import pytest

from monitor.audit.log import SqlAuditLog
from monitor.audit.proof.keys import SigningKey
from monitor.audit.proof.making import CheckpointMaker
from monitor.audit.proof.proving import prove_inclusion
from monitor.audit.proof.store import ProofStore
from monitor.audit.proof.tree import TILE
from monitor.audit.schema import upgrade
from tests.audit.given import START, batch, fact
from tests.support.postgres import PostgresCluster

ROLES = Path(__file__).parents[3] / "deploy" / "postgres" / "roles.sql"
REFUSED = (
    "UPDATE checkpoints SET root = root",
    "DELETE FROM checkpoints",
    "TRUNCATE checkpoints",
    "DELETE FROM tree_tiles",
)


async def test_the_worker_adds_checkpoints_and_can_change_none(
    postgres: PostgresCluster, postgres_url: str, key: SigningKey
) -> None:
    await upgrade(postgres_url)
    name = postgres_url.rpartition("/")[2]
    postgres.sql(ROLES.read_text(), database=name)
    for user, role in (("signer", "safety_writer"), ("auditor", "safety_reader")):
        postgres.sql(f"CREATE ROLE {user} LOGIN IN ROLE {role}")
    log = await SqlAuditLog.open(postgres.url(name, user="signer"))
    await log.append(batch(*(fact("P1", number) for number in range(TILE + 1))))
    assert await CheckpointMaker(ProofStore(log), [key]).make(START) is not None
    await log.close()

    log = await SqlAuditLog.open(postgres.url(name, user="auditor"), writing=False)
    assert await prove_inclusion(ProofStore(log), 7)
    await log.close()
    for statement in REFUSED:
        with pytest.raises(subprocess.CalledProcessError, match="psql") as refused:
            postgres.sql(statement, database=name, user="signer")
        assert "permission denied" in refused.value.stderr
