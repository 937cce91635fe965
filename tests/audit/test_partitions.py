"""The recipe for a log that outgrows one table: divided into parts, it is the same log under the same guards."""

import subprocess
from pathlib import Path

import pytest

from monitor.audit.batch import Batch
from monitor.audit.checker import Checker
from monitor.audit.integrity import check_log
from monitor.audit.log import SqlAuditLog
from monitor.audit.redacting import planning
from monitor.audit.redacting.request import Request
from monitor.audit.schema import upgrade
from monitor.audit.verify import verify
from tests.audit.given import batch, fact
from tests.audit.rig import PROTOCOL, SCENARIOS, lines_of, record_by_events_clock
from tests.support.postgres import PostgresCluster

FOLDER = Path(__file__).parents[2] / "deploy" / "postgres"
EACH, PARTS = 10, 3
DIVIDE = f"\\set each {EACH}\n\\set parts {PARTS}\n{(FOLDER / 'partition.sql').read_text()}"


def facts(first: int, count: int) -> Batch:
    return batch(*(fact(f"P{n % 3}", n, dedupe_key=f"k{n}") for n in range(first, first + count)))


@pytest.fixture
async def divided(postgres: PostgresCluster) -> str:
    """The name of a database with a log of fourteen records that was divided, its roles, and a user of the writer's."""
    url = postgres.database()
    name = url.rpartition("/")[2]
    await upgrade(url)
    log = await SqlAuditLog.open(url)
    await log.append(facts(0, 14))
    await log.close()
    roles = (FOLDER / "roles.sql").read_text()
    postgres.sql(roles, database=name)
    postgres.sql(DIVIDE, database=name)
    postgres.sql(roles, database=name)
    postgres.sql(f"CREATE ROLE writer_{name} LOGIN IN ROLE safety_writer")
    return name


async def test_a_divided_log_is_whole_goes_on_from_part_to_part_and_takes_nothing_twice(
    postgres: PostgresCluster, divided: str
) -> None:
    log = await SqlAuditLog.open(postgres.url(divided, f"writer_{divided}"))
    for first in range(14, 64, 5):
        await log.append(facts(first, 5))
    assert await log.append(facts(0, 20)) == []  # all known, whichever part they lie in

    checker = Checker()
    found = [each async for each in check_log(log, checker)]
    await log.close()

    assert found == [64]
    counted = postgres.sql(
        "SELECT tableoid::regclass, count(*) FROM audit_log GROUP BY 1 ORDER BY min(sequence)", database=divided
    )
    assert counted.splitlines() == ["audit_log_before|20", "audit_log_1|10", "audit_log_2|10", "audit_log_3|24"]


async def test_what_is_redacted_in_a_divided_log_is_gone_and_the_log_still_holds(
    postgres: PostgresCluster, divided: str
) -> None:
    log = await SqlAuditLog.open(postgres.url(divided, f"writer_{divided}"))
    await record_by_events_clock(log, lines_of(SCENARIOS[11]))
    first, *_, last = [record for record in await log.stream("patient/SH-001") if record.origin is not None]
    await log.close()
    assert first.sequence <= 20 < last.sequence  # of the part from before, and of a later one
    postgres.sql(f"CREATE ROLE redactor_{divided} LOGIN IN ROLE safety_redactor", database=divided)
    log = await SqlAuditLog.open(postgres.url(divided, f"redactor_{divided}"), briefly=True)
    for record in (first, last):
        why = Request("a name was entered", "officer-3", record.recorded_at)
        await log.erase((await planning.of_record(log, PROTOCOL, record.sequence, why)).erasure)

    verdict = await verify(log, PROTOCOL)
    again = await log.erase_again()
    await log.close()

    assert (verdict.broken, verdict.redacted) == (None, 2)
    assert again == (0, 0)


@pytest.mark.parametrize("table", ["audit_log", "audit_log_before", "audit_log_2"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET actor = 'nobody'", "DELETE FROM {}", "TRUNCATE {}"])
async def test_the_guards_hold_on_the_whole_and_on_each_part(
    postgres: PostgresCluster, divided: str, table: str, verb: str
) -> None:
    log = await SqlAuditLog.open(postgres.url(divided, f"writer_{divided}"))
    await log.append(facts(14, 30))
    await log.close()

    for user, says in (("postgres", "audit_log is append-only"), (f"writer_{divided}", "permission denied")):
        with pytest.raises(subprocess.CalledProcessError) as refused:
            postgres.sql(verb.format(table), database=divided, user=user)
        assert says in refused.value.stderr


@pytest.mark.parametrize(
    ("sequence", "stream", "version", "key"),
    [
        ("sequence", "'patient/new'", "1", "'new'"),
        ("99", "stream", "version", "'new'"),
        ("99", "'patient/new'", "1", "dedupe_key"),
    ],
)
async def test_the_database_itself_takes_no_place_and_no_key_twice(
    postgres: PostgresCluster, divided: str, sequence: str, stream: str, version: str, key: str
) -> None:
    same = "kind, recorded_at, known_at, waited, actor, payload, salt, "
    same += "payload_hash, previous_hash, leaf_hash, record_hash"
    again = f"""
        INSERT INTO audit_log (sequence, scheme, stream, version, dedupe_key, {same})
        SELECT {sequence}, 1, {stream}, {version}, {key}, {same} FROM audit_log WHERE sequence = 3
    """  # noqa: S608

    with pytest.raises(subprocess.CalledProcessError) as refused:
        postgres.sql(again, database=divided)

    assert "duplicate key value violates unique constraint" in refused.value.stderr
