"""Alerts about the system: raised while a trouble lasts, told once, on the log like every other."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from monitor.audit.batch import Batch
from monitor.audit.leading import Leases
from monitor.audit.read_models import folded, kept
from monitor.audit.records import Record
from monitor.core.alert import LIVE
from monitor.errors import DatabaseUnavailable, UsageError
from monitor.metrics import Metrics
from monitor.notify.announcing import Announcer
from monitor.notify.routing import Routing
from monitor.operations.answering import answer
from monitor.operations.trouble import Trouble
from monitor.operations.watch import OperationsWatch
from monitor.protocol.model import Protocol
from monitor.recorder.failing import RULE as ASSESSMENT_FAILED
from monitor.recorder.failing import failed
from monitor.recorder.rows import alert_row
from tests.engine.bench import Hands
from tests.engine.wire import START
from tests.support.memory_log import MemoryAuditLog

RULE = "ops.quarantine-share"
LEASE = timedelta(seconds=15)
ROUTING = Routing.model_validate(
    {
        "format": 1,
        "recipients": {name: {"url": SecretStr(f"json://127.0.0.1/{name}")} for name in ("officer", "operators")},
        "priorities": {"high": {"recipients": ["officer"]}, "medium": {}, "low": {}},
        "operations": ["operators"],
    }
)


class GivenCheck:
    """A check that finds what the test says; an exception is raised."""

    rule = RULE

    def __init__(self, *found: Trouble) -> None:
        self.found: Sequence[Trouble] | Exception = found

    async def troubles(self, _now: datetime) -> Sequence[Trouble]:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


def broken(item: str = "safety.lab /shgh/lis", since: datetime = START) -> Trouble:
    return Trouble(rule=RULE, item=item, since=since, summary=f"Much of what {item} sends cannot be read")


class Rig:
    """A watch over a log in memory; `again` is another start of it, or another worker."""

    def __init__(self, check: GivenCheck, log: MemoryAuditLog | None = None, holder: str = "one") -> None:
        self.check = check
        self.log = log or MemoryAuditLog()
        self.hands = Hands()
        self.metrics = Metrics(rules=[RULE])
        self.woken = 0
        self.watch = OperationsWatch(
            self.log,
            Leases(self.log, holder, LEASE),
            [check],
            Announcer(ROUTING, ZoneInfo("Asia/Shanghai")),
            self.hands,
            self.metrics,
            wake=self._wake,
        )

    def _wake(self) -> None:
        self.woken += 1

    async def statuses(self) -> list[tuple[str, str]]:
        return [(row.rule, row.status) for row in await self.log.alerts(patient="")]

    async def answers(self, kind: str) -> None:
        (row,) = await self.log.alerts(patient="", statuses=LIVE)
        record = answer(row, kind, actor="op-7", note="the feed was retired", now=self.hands.at)
        await self.log.append(Batch(recorded_at=self.hands.at, records=(record,)))

    async def told(self) -> list[tuple[str, str | None]]:
        rows = await self.log.claim_outbox(limit=100, lease_for=LEASE, now=self.hands.at)
        return sorted((row.recipient, row.patient) for row in rows)

    def open(self) -> float | None:
        return self.metrics.registry.get_sample_value("safety_system_alerts", {"rule": RULE})


async def test_a_trouble_is_raised_once_and_the_operators_are_told() -> None:
    rig = Rig(GivenCheck(broken()))

    await rig.watch.look()
    await rig.watch.look()

    assert await rig.statuses() == [(RULE, "firing")]
    assert await rig.told() == [("officer", None), ("operators", None), ("safety.alert", None)]
    assert rig.woken == 1
    assert rig.open() == 1


async def test_when_it_is_over_the_alert_is_resolved() -> None:
    rig = Rig(GivenCheck(broken()))
    await rig.watch.look()
    rig.check.found = ()

    await rig.watch.look()

    assert await rig.statuses() == [(RULE, "resolved")]
    assert rig.open() == 0


async def test_what_was_told_before_a_restart_is_not_told_again_and_ends_after_it() -> None:
    rig = Rig(GivenCheck(broken()))
    await rig.watch.look()

    again = Rig(GivenCheck(broken()), rig.log)
    await again.watch.look()
    assert await again.statuses() == [(RULE, "firing")]

    again.check.found = ()
    await again.watch.look()
    assert await again.statuses() == [(RULE, "resolved")]


async def test_what_a_person_said_is_shown_and_told_though_the_database_went_away_meanwhile() -> None:
    log = LostAppend()
    rig = Rig(GivenCheck(broken()), log)
    await rig.watch.look()
    await rig.answers("resolved")
    log.lost = True
    with pytest.raises(DatabaseUnavailable):
        await rig.watch.look()
    log.lost = False

    await rig.watch.look()

    assert await rig.statuses() == [(RULE, "resolved")]


class LostAppend(MemoryAuditLog):
    """A database that, while `lost`, does not answer to what is written."""

    lost = False

    async def append(self, batch: Batch) -> list[Record]:
        if self.lost:
            raise DatabaseUnavailable("the database does not answer")
        return await super().append(batch)


async def test_the_same_trouble_at_another_time_is_another_alert() -> None:
    rig = Rig(GivenCheck(broken()))
    await rig.watch.look()
    rig.check.found = ()
    await rig.watch.look()
    rig.check.found = (broken(since=START + timedelta(hours=3)),)

    await rig.watch.look()

    assert await rig.statuses() == [(RULE, "resolved"), (RULE, "firing")]


async def test_one_worker_of_two_asks_the_checks_and_both_count() -> None:
    first = Rig(GivenCheck(broken()))
    second = Rig(GivenCheck(), first.log, holder="two")

    await first.watch.look()
    await second.watch.look()

    assert await first.statuses() == [(RULE, "firing")]
    assert second.open() == 1


async def test_a_check_that_fails_ends_no_alert(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(GivenCheck(broken()))
    await rig.watch.look()
    rig.check.found = ZeroDivisionError()

    await rig.watch.look()

    assert await rig.statuses() == [(RULE, "firing")]
    assert "the check of ops.quarantine-share failed" in caplog.text


async def test_a_person_acknowledges_and_the_alert_still_ends_by_itself() -> None:
    rig = Rig(GivenCheck(broken()))
    await rig.watch.look()
    await rig.answers("acknowledged")

    await rig.watch.look()
    assert await rig.statuses() == [(RULE, "acknowledged")]
    assert rig.open() == 1

    rig.check.found = ()
    await rig.watch.look()
    assert await rig.statuses() == [(RULE, "resolved")]


async def test_what_a_person_closed_is_not_told_again_before_its_next_time() -> None:
    rig = Rig(GivenCheck(broken()))
    await rig.watch.look()
    await rig.answers("resolved")

    await rig.watch.look()
    await rig.watch.look()
    assert await rig.statuses() == [(RULE, "resolved")]

    rig.check.found = (broken(since=START + timedelta(hours=3)),)
    await rig.watch.look()
    assert await rig.statuses() == [(RULE, "resolved"), (RULE, "firing")]


async def test_an_answer_is_on_the_log_with_its_actor_and_why_and_is_taken_up_after_a_restart() -> None:
    rig = Rig(GivenCheck(broken()))
    await rig.watch.look()
    await rig.answers("resolved")

    again = Rig(GivenCheck(broken()), rig.log)
    await again.watch.look()

    assert await again.statuses() == [(RULE, "resolved")]
    record = (await rig.log.stream("system/alerts"))[-1]
    assert record.actor == "op-7"
    assert json.loads(record.payload)["note"] == "the feed was retired"
    notices = await rig.told()
    assert notices.count(("operators", None)) == 2  # raised, and that a person closed it


async def test_such_an_alert_is_not_shelved() -> None:
    rig = Rig(GivenCheck(broken()))
    await rig.watch.look()
    with pytest.raises(UsageError, match="acknowledge or resolve"):
        await rig.answers("shelved")


async def test_the_read_model_follows_from_the_log() -> None:
    rig = Rig(GivenCheck(broken(), broken("safety.mrd /ref/lab")))
    await rig.watch.look()
    rig.check.found = (broken(),)
    await rig.watch.look()

    made = await folded(rig.log, Protocol.load())

    assert made.differing(await kept(rig.log)) == []
    assert sorted(row.status for row in made.alerts) == ["firing", "resolved"]


async def test_a_patient_who_is_not_watched_is_counted_until_it_is_mended() -> None:
    rig = Rig(GivenCheck())
    rig.metrics = Metrics(rules=[ASSESSMENT_FAILED])
    rig.watch._observer = rig.metrics
    row = alert_row(failed("SH-001", "sha256:00", "ZeroDivisionError", START).change)
    counts = []
    for status in ("firing", "acknowledged", "withdrawn"):
        await rig.log.append(Batch(recorded_at=START, alerts=(replace(row, status=status),)))
        await rig.watch.look()
        counts.append(rig.metrics.registry.get_sample_value("safety_system_alerts", {"rule": ASSESSMENT_FAILED}))
    assert counts == [1, 1, 0]
