"""After an upgrade everybody is assessed anew: what only newer rules find is told, and no stop goes silently."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.audit import kinds
from monitor.audit.batch import Batch
from monitor.audit.core_version import CORE_VERSION, core_version
from monitor.audit.leading import Leases
from monitor.audit.ports import AuditLog
from monitor.audit.read_models import folded
from monitor.audit.records import NewRecord, Record
from monitor.audit.verify import verify
from monitor.errors import DatabaseUnavailable
from monitor.metrics import Metrics
from monitor.notify.announcing import Announcer
from monitor.operations import newer_rules
from monitor.operations.answering import answer
from monitor.operations.newer_rules import Adopted, NewerRules
from monitor.operations.stop_in_doubt import RULE, StopInDoubt
from monitor.operations.watch import OperationsWatch
from monitor.recorder.recorder import Recorder
from tests.audit.given import batch
from tests.audit.rig import PROTOCOL, HandClock, messages_of, recorder
from tests.audit.test_upgrade import by_an_older_program
from tests.core import charts
from tests.operations.test_watch import LEASE, ROUTING
from tests.support.memory_log import MemoryAuditLog

CHART = [charts.enrolled(80), charts.azacitidine(95), charts.acute(120, skin=3), charts.marrow(130, "85")]
STOP, REVIEW = "stop.chimerism", "gvhd.review"
Change = Callable[[Record], str | None]


@pytest.fixture
def log() -> MemoryAuditLog:
    return MemoryAuditLog()


class Upgraded:
    """A log that an older program wrote, and a worker of this program on it."""

    def __init__(self, log: AuditLog, clock: HandClock, target: Recorder) -> None:
        self.log, self.clock, self.recorder = log, clock, target

    @classmethod
    async def of(cls, change: Change, log: AuditLog) -> "Upgraded":
        """`change`: the payload of each record as the older program wrote it; None: it did not."""
        honest, clock = MemoryAuditLog(), HandClock()
        clock.at = charts.on_day(140)
        await (await recorder(honest, clock, events_clock=False)).record(list(messages_of(CHART)))
        names = [field.name for field in fields(NewRecord)]
        async for record in honest.read():
            if (payload := change(record)) is not None:
                kept = {name: getattr(record, name) for name in names} | {"payload": payload}
                await log.append(batch(NewRecord(**kept)))
        await log.replace_read_models(await honest.patients(), (await folded(log, PROTOCOL)).alerts)
        clock.at += timedelta(hours=1)
        target = await recorder(log, clock, events_clock=False, outbound=Announcer(ROUTING, PROTOCOL.tz))
        return cls(log, clock, target)

    async def assessed(self, core: str = CORE_VERSION, holder: str = "one") -> Adopted | None:
        leases = Leases(self.log, holder, LEASE)
        return await NewerRules(self.recorder, self.log, leases, self.clock, core=core).look()

    async def told(self) -> list[tuple[str, str]]:
        """What people are told of: change and rule."""
        rows = await self.log.claim_outbox(limit=500, lease_for=timedelta(0), now=self.clock.at + timedelta(days=1))
        notices = [json.loads(row.payload) for row in rows if row.recipient == "officer"]
        return sorted((each["change"], each["rule"]) for each in notices)

    async def status(self, rule: str) -> set[str]:
        return {row.status for row in await self.log.alerts() if row.rule == rule}


def untold(rule: str) -> Change:
    """The older program had no such rule."""
    return lambda record: None if _rule(record) == rule else by_an_older_program(record)


def told_besides(reference: str, rule: str) -> Change:
    """The older program told of a finding that newer rules do not make."""

    def change(record: Record) -> str:
        payload = by_an_older_program(record)
        if _rule(record) != STOP:
            return payload
        alert = json.loads(payload)["alert"]
        return payload.replace(alert["alert_id"], reference).replace(STOP, rule).replace("chimerism-130", "elsewhere")

    return change


def _rule(record: Record) -> str | None:
    """The rule of a raised alert."""
    return json.loads(record.payload)["alert"].get("rule") if record.stream.startswith("alert/") else None


async def test_what_only_newer_rules_find_in_old_facts_is_told_once(log: MemoryAuditLog) -> None:
    upgraded = await Upgraded.of(untold(STOP), log)

    done = await upgraded.assessed()

    assert done is not None
    assert (done.before, done.patients, done.changes["raised"]) == (None, 1, 1)
    assert await upgraded.told() == [("raised", STOP)]
    assert await upgraded.status(STOP) == {"firing"}
    [raised] = [each for each in await log.stream("alert/SH-001") if _rule(each) == STOP]
    told = json.loads(raised.payload)
    assert (told["anew"], told["stamp"]["core"], told["at"]) == (True, CORE_VERSION, "2025-05-21T02:00:00.000000Z")

    assert await upgraded.assessed() is None  # the log knows this program
    assert await upgraded.assessed(core="0.9.9+core.00000000") is not None  # an other one finds nothing new
    assert await upgraded.told() == [("raised", STOP)]
    verdict = await verify(log, PROTOCOL)
    assert (verdict.broken, verdict.tampered) == (None, False)


async def test_nothing_is_told_where_newer_rules_say_the_same(log: MemoryAuditLog) -> None:
    upgraded = await Upgraded.of(by_an_older_program, log)

    done = await upgraded.assessed()

    assert done is not None
    assert not done.changes
    assert await upgraded.told() == []


async def test_a_stop_that_newer_rules_do_not_find_stays_and_people_are_asked_to_look(log: MemoryAuditLog) -> None:
    upgraded = await Upgraded.of(told_besides("0123456789abcdef", STOP), log)
    await upgraded.assessed()

    [doubt] = await StopInDoubt(log).troubles(upgraded.clock.at)
    assert (doubt.rule, doubt.item) == (RULE, "0123456789abcdef")
    assert "SH-001" not in doubt.summary
    ended = [each for each in await log.stream("alert/SH-001") if "0123456789abcdef" in each.payload]
    assert [each.kind for each in ended] == ["safety.alert.raised.v1"]
    assert await upgraded.status(STOP) == {"firing"}
    assert ("withdrawn", STOP) not in await upgraded.told()

    await upgraded.assessed(core="0.9.9+core.00000000")
    assert await StopInDoubt(log).troubles(upgraded.clock.at) == [doubt]
    assert (await verify(log, PROTOCOL)).tampered is False


async def test_a_stop_in_doubt_ends_when_a_person_closes_the_doubt(log: MemoryAuditLog) -> None:
    upgraded = await Upgraded.of(told_besides("0123456789abcdef", STOP), log)
    await upgraded.assessed()
    leases = Leases(log, "one", LEASE)
    service = NewerRules(upgraded.recorder, log, leases, upgraded.clock)
    outbound = Announcer(ROUTING, PROTOCOL.tz)
    watch = OperationsWatch(log, leases, [StopInDoubt(log)], outbound, upgraded.clock, Metrics(), wake=lambda: None)
    await watch.look()
    await service.close()
    assert await standing(log) == "firing"
    [doubt] = [row for row in await log.alerts(patient="") if row.rule == RULE]
    word = answer(doubt, "resolved", actor="physician-2", note="the older rule was wrong", now=upgraded.clock.at)
    await log.append(batch(word))

    await service.close()
    await service.close()

    assert await standing(log) == "resolved"
    ended = [each for each in await log.stream("alert/SH-001") if "0123456789abcdef" in each.payload]
    assert [(each.kind, each.actor) for each in ended[1:]] == [("safety.alert.resolved.v1", "physician-2")]
    assert (await verify(log, PROTOCOL)).tampered is False


async def standing(log: MemoryAuditLog) -> str:
    [row] = [row for row in await log.alerts(patient="SH-001") if row.alert_id == "0123456789abcdef"]
    return row.status


async def test_what_is_no_stop_ends_for_those_who_were_told(log: MemoryAuditLog) -> None:
    upgraded = await Upgraded.of(told_besides("0123456789abcdef", REVIEW), log)

    await upgraded.assessed()

    told = [each.kind for each in await log.stream("alert/SH-001") if "0123456789abcdef" in each.payload]
    assert told == [kinds.alert_kind("raised"), kinds.alert_kind("withdrawn")]
    assert ("withdrawn", REVIEW) in await upgraded.told()
    assert await StopInDoubt(log).troubles(upgraded.clock.at) == []


async def test_of_two_workers_one_assesses_everybody(log: MemoryAuditLog) -> None:
    upgraded = await Upgraded.of(untold(STOP), log)
    assert await log.acquire_lease("newer rules", "two", ttl=timedelta(seconds=15), now=upgraded.clock.at)

    assert await upgraded.assessed() is None
    assert await upgraded.told() == []


@pytest.mark.parametrize("lost", [1, 2, 3])
async def test_a_database_that_goes_away_at_any_question_ends_nothing(
    lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = LostAnswer()
    upgraded = await Upgraded.of(untold(STOP), log)
    monkeypatch.setattr(newer_rules, "SETTLING", 0.0)
    monkeypatch.setattr(newer_rules, "LOOK", 0.0)
    service = NewerRules(upgraded.recorder, log, Leases(log, "one", LEASE), upgraded.clock)
    log.lost = lost

    running = asyncio.create_task(service.run())
    await asyncio.wait_for(log.adopted.wait(), 30)
    service.stop()
    await running


class LostAnswer(MemoryAuditLog):
    """A database that does not answer one question about the programs: the `lost`-th."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = 0
        self.adopted = asyncio.Event()

    async def append(self, batch: Batch) -> list[Record]:
        made = await super().append(batch)
        if any(record.kind == kinds.PROGRAM_ADOPTED for record in made):
            self.adopted.set()
        return made

    async def stream(self, name: str, *, after: int = 0) -> list[Record]:
        if name == kinds.PROGRAMS:
            self.lost -= 1
            if self.lost == 0:
                raise DatabaseUnavailable("the database does not answer")
        return await super().stream(name, after=after)


async def test_a_facts_own_change_goes_on_from_what_was_told_anew(log: MemoryAuditLog) -> None:
    upgraded = await Upgraded.of(untold(STOP), log)
    await upgraded.assessed()
    corrected = charts.marrow(130, "99", version=2, status="corrected", reason="wrong tube")
    upgraded.clock.at = charts.on_day(150)
    messages = list(messages_of([*CHART, corrected]))[-1:]

    await upgraded.recorder.record(messages)

    assert ("withdrawn", STOP) in await upgraded.told()
    assert await upgraded.status(STOP) == {"withdrawn"}
    assert (await verify(log, PROTOCOL)).tampered is False


def test_a_program_is_another_when_a_rule_is(tmp_path: Path) -> None:
    for package in ("core", "events", "protocol"):
        (tmp_path / package).mkdir()
    (tmp_path / "core" / "rule.py").write_text("LIMIT = 5\n")
    before = core_version("1.0", tmp_path)
    (tmp_path / "core" / "rule.py").write_text("LIMIT = 6\n")

    assert before.startswith("1.0+core.")
    assert core_version("1.0", tmp_path) != before
