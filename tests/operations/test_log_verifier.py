"""The worker verifies its own log: on time, by one of several, and people hear of what does not hold."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from monitor.audit import kinds
from monitor.audit.leading import Leases
from monitor.audit.log import SqlAuditLog
from monitor.audit.passes import Pass
from monitor.audit.ports import AuditLog
from monitor.audit.proof.anchors import Anchors
from monitor.audit.schema import upgrade
from monitor.metrics import Metrics
from monitor.notify.announcing import Announcer
from monitor.operations.log_broken import RULE, LogBroken
from monitor.operations.log_verifier import PAGE, SETTLING, LogVerifier, Schedule
from monitor.operations.watch import OperationsWatch
from tests.audit.given import batch, fact
from tests.audit.rig import PROTOCOL, HandClock
from tests.audit.test_verify import tamper
from tests.core import charts
from tests.operations.test_watch import ROUTING
from tests.support.memory_log import MemoryAuditLog

DAY, HOUR, LEASE = timedelta(days=1), timedelta(hours=1), timedelta(seconds=15)


class Rig:
    """A verifier and a watch over one log; another rig on it is another worker, or another start."""

    def __init__(self, log: AuditLog, clock: HandClock, holder: str = "one") -> None:
        self.log, self.clock = log, clock
        self.metrics = Metrics(rules=[RULE])
        leases = Leases(log, holder, LEASE)
        self.verifier = LogVerifier(
            log, leases, PROTOCOL, self._anchors, clock, self.metrics, schedule=Schedule(DAY, HOUR)
        )
        announcer = Announcer(ROUTING, ZoneInfo("Asia/Shanghai"))
        self.watch = OperationsWatch(log, leases, [LogBroken(log)], announcer, clock, self.metrics, wake=lambda: None)

    async def _anchors(self) -> Anchors:
        return Anchors()

    async def after(self, wait: timedelta) -> Pass | None:
        """What the verifier does, and the watch, when so much time has passed."""
        self.clock.at += wait
        done = await self.verifier.look()
        await self.watch.look()
        return done

    def shown(self, name: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"safety_audit_{name}")

    async def alerts(self) -> list[tuple[str, str]]:
        return [(row.rule, row.status) for row in await self.log.alerts(patient="")]


def a_clock() -> HandClock:
    clock = HandClock()
    clock.at = charts.on_day(100)
    return clock


async def filled(log: AuditLog, first: int = 0) -> None:
    for number in range(first, first + 20):
        await log.append(batch(fact(stream=f"quarantine/{number % 3}", number=number)))


async def test_the_whole_log_is_verified_soon_after_the_start_and_every_day_and_each_pass_is_recorded() -> None:
    log, clock = MemoryAuditLog(), a_clock()
    await filled(log)
    rig = Rig(log, clock)

    assert await rig.after(timedelta(0)) is None
    first = await rig.after(SETTLING)
    assert first is not None
    assert (first.whole_log, first.records, first.broken_at) == (True, 20, None)
    assert (rig.shown("verified_sequence"), rig.shown("broken_sequence")) == (20, 0)
    assert rig.shown("verified_timestamp_seconds") == clock.at.timestamp()
    assert await rig.after(HOUR / 2) is None
    again = await rig.after(DAY)
    assert again is not None
    assert again.whole_log

    passes = await log.stream(kinds.VERIFICATIONS)
    assert [record.kind for record in passes] == [kinds.LOG_VERIFIED] * 2
    assert passes[0].actor == "one"


async def test_what_is_new_is_verified_every_hour_and_nothing_before_it_is_read_again() -> None:
    log, clock = ReadLog(), a_clock()
    await filled(log)
    rig = Rig(log, clock)
    await rig.after(SETTLING)
    await filled(log, first=20)
    log.read_from.clear()

    new = await rig.after(HOUR)

    assert new is not None
    assert (new.whole_log, new.records) == (False, 41)  # the record of the first pass among them
    assert min(log.read_from) == 20
    assert len(await log.stream(kinds.VERIFICATIONS)) == 1
    assert rig.shown("verified_sequence") == 41


class ReadLog(MemoryAuditLog):
    """Remembers from where it was read."""

    def __init__(self) -> None:
        super().__init__()
        self.read_from: list[int] = []
        self.sizes: set[int | None] = set()
        self.begun = asyncio.Event()

    def stored(self, *, after: int = 0, until: int | None = None, size: int | None = None) -> Any:
        self.read_from.append(after)
        self.begun.set()
        if until is not None:  # the last look, behind the head, is for one record
            self.sizes.add(size)
        return super().stored(after=after, until=until, size=size)


async def test_a_new_start_does_not_verify_again_what_was_verified_today() -> None:
    log, clock = MemoryAuditLog(), a_clock()
    await filled(log)
    await Rig(log, clock).after(SETTLING)
    another = Rig(log, clock)

    assert await another.after(HOUR / 2) is None
    assert another.shown("verified_sequence") == 20  # by the log's own word
    assert await another.after(HOUR) is not None


async def test_of_two_workers_one_verifies() -> None:
    log, clock = MemoryAuditLog(), a_clock()
    one, two = Rig(log, clock), Rig(log, clock, holder="two")
    clock.at += SETTLING

    passes = [await one.verifier.look(), await two.verifier.look()]

    assert [done is not None for done in passes] == [True, False]


async def test_people_are_told_once_of_a_record_that_does_not_hold_and_the_log_tells_of_it(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    await upgrade(url)
    written = await SqlAuditLog.open(url)
    await filled(written)
    await written.close()
    await tamper(url, "UPDATE audit_log SET payload = '{}' WHERE sequence = 8")
    log, clock = await SqlAuditLog.open(url), a_clock()
    rig = Rig(log, clock)

    found = await rig.after(SETTLING)
    assert found is not None
    assert (found.broken_at, found.what) == (8, "its payload is not the one that was recorded")
    assert rig.shown("broken_sequence") == 8
    await rig.after(HOUR)
    restarted = Rig(log, clock)
    await restarted.after(DAY)

    assert await rig.alerts() == [(RULE, "firing")]
    waiting = await log.claim_outbox(limit=50, lease_for=LEASE, now=clock.at)
    told = [row for row in waiting if row.channel != "alert-topic"]
    assert {row.recipient for row in told} == {"officer", "operators"}
    assert all("Record 8 of the audit log does not hold" in row.payload for row in told)
    assert len(await log.stream(kinds.SYSTEM_ALERTS)) == 1
    assert {record.kind for record in await log.stream(kinds.VERIFICATIONS)} == {kinds.LOG_VERIFIED}
    await log.close()


async def test_what_is_found_among_what_is_new_is_shown_until_the_whole_log_holds_again() -> None:
    log, clock = MemoryAuditLog(), a_clock()
    await filled(log)
    rig = Rig(log, clock)
    await rig.after(SETTLING)
    await filled(log, first=20)
    kept = log._stored[30]
    log._stored[30] = kept._replace(payload="{}")
    await rig.after(HOUR)
    assert rig.shown("broken_sequence") == 31

    await rig.after(LEASE)
    assert (rig.shown("broken_sequence"), rig.shown("verified_sequence")) == (31, 20)

    log._stored[30] = kept
    await rig.after(HOUR)
    assert rig.shown("broken_sequence") == 0


async def test_the_alert_ends_when_the_whole_log_holds_again() -> None:
    honest, clock = MemoryAuditLog(), a_clock()
    await filled(honest)
    rig = Rig(honest, clock)
    kept = honest._stored[7]
    honest._stored[7] = kept._replace(payload="{}")
    await rig.after(SETTLING)
    assert await rig.alerts() == [(RULE, "firing")]
    honest._stored[7] = kept  # as it was, out of a backup

    await rig.after(DAY)

    assert await rig.alerts() == [(RULE, "resolved")]


async def test_a_pass_goes_in_small_steps_and_ends_when_told_to() -> None:
    log, clock = ReadLog(), a_clock()
    records = (fact(stream=f"quarantine/{number % 3}", number=number) for number in range(20 * PAGE))
    await log.append(batch(*records))
    rig = Rig(log, clock)
    clock.at += SETTLING

    running = asyncio.create_task(rig.verifier.run())
    await log.begun.wait()
    rig.verifier.stop()
    await asyncio.wait_for(running, 10)

    assert log.sizes == {PAGE}
    assert await log.stream(kinds.VERIFICATIONS) == []
    assert rig.shown("verified_sequence") == 0
