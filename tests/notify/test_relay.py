"""The relay on the log in memory: who gets what, how often, and what the log says of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Collection
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from monitor.audit import kinds
from monitor.audit.batch import AlertRow, Batch, OutboxRow, Outcome
from monitor.audit.leading import Leases
from monitor.audit.log import SqlAuditLog
from monitor.audit.ports import AuditLog
from monitor.audit.read_models import folded, kept
from monitor.audit.records import Record
from monitor.audit.schema import upgrade
from monitor.core.alert import Change
from monitor.errors import DatabaseUnavailable
from monitor.metrics import Metrics
from monitor.notify.announcing import Announcer
from monitor.notify.catcher import MailCatcher
from monitor.notify.delivering import Deliverer
from monitor.notify.receipts import Attempt, attempts_in
from monitor.notify.recipients import Recipient
from monitor.notify.relay import ROW_LEASE, Relay
from monitor.notify.routing import Routing
from monitor.notify.sender import AppriseSender
from monitor.operations.answering import answer
from monitor.operations.telling import telling_of
from monitor.operations.watch import OperationsWatch
from monitor.protocol.model import Protocol
from tests.support.memory_log import MemoryAuditLog

from .alerts import NOW, PATIENT, later, raised
from .fakes import FAILED, REFUSED, UNSURE, FakeClock, FakeObserver, FakePublisher, FakeSender
from .test_announcing import ROUTING, TZ

RECIPIENTS = ("officer", "phone", "investigator", "operators")


class Breakable:
    """A log whose settlements can be made to fail: the process dies, or the database goes, after the send."""

    settling: type[BaseException] | None = None
    claiming: type[BaseException] | None = None
    reading: type[BaseException] | None = None

    async def alerts(self, *, patient: str | None = None, statuses: Collection[str] | None = None) -> list[AlertRow]:
        if self.reading is not None:
            raise self.reading("down")
        return await cast(AuditLog, super()).alerts(patient=patient, statuses=statuses)

    async def settle_outbox(self, row_id: str, outcome: Outcome, batch: Batch) -> list[Record]:
        if self.settling is not None:
            raise self.settling
        return await cast(AuditLog, super()).settle_outbox(row_id, outcome, batch)

    async def claim_outbox(
        self, *, limit: int, lease_for: timedelta, now: datetime, channels: Collection[str] | None = None
    ) -> list[OutboxRow]:
        if self.claiming is not None:
            raise self.claiming("down")
        return await cast(AuditLog, super()).claim_outbox(limit=limit, lease_for=lease_for, now=now, channels=channels)


class MemoryLog(Breakable, MemoryAuditLog):
    """In memory."""


class SqliteLog(Breakable, SqlAuditLog):
    """In a file."""


class Trial:
    """Time, a log, a relay and its surroundings."""

    def __init__(self, log: MemoryLog | SqliteLog, routing: Routing = ROUTING) -> None:
        self.clock = FakeClock()
        self.log = log
        self.sender = FakeSender(*RECIPIENTS)
        self.publisher = FakePublisher()
        self.observer = FakeObserver()
        self.announcer = Announcer(routing, TZ)
        self.channels = routing.channels
        self.relay = self.new_relay()

    @property
    def watch(self) -> OperationsWatch:
        """The watch over the system, which takes up what people say."""
        leases = Leases(self.log, "watch", timedelta(seconds=15))
        return OperationsWatch(self.log, leases, [], self.announcer, self.clock, Metrics(), wake=lambda: None)

    def new_relay(self, holder: str = "one") -> Relay:
        """As after a restart: nothing is remembered but the log."""
        tell = partial(telling_of, self.announcer)
        self.deliverer = Deliverer(
            self.log, self.sender, self.publisher, tell, self.clock, self.observer, chance=lambda: 1.0
        )
        leases = Leases(self.log, holder, timedelta(seconds=15))
        return Relay(self.log, leases, self.deliverer, self.clock, self.observer, channels=self.channels, poll=0.01)

    async def happens(self, *changes: Change) -> None:
        now = self.clock.now()
        await self.log.append(Batch(recorded_at=now, outbox=tuple(self.announcer.of_changes(changes, now))))

    async def relays(self, *channels: str) -> int:
        return await self.relay.relay_once(set(channels or self.channels))

    async def runs_dry(self) -> None:
        """Relay until nothing waits, moving the clock over every wait."""
        for _ in range(60):
            for channel in (*self.channels, "alert-topic"):
                await self.relay.relay_once({channel})
            if not await self.log.outbox_backlog():
                return
            self.clock.advance(seconds=61)
        raise AssertionError("the outbox did not run dry")

    async def stuck_and(self, said: str) -> None:
        """A notice that reaches nobody; then a person says this of the alert about it."""
        self.sender.answers("officer", *[FAILED] * 3)
        self.sender.answers("investigator", *[FAILED] * 4)
        await self.happens(raised())
        while not (rows := await self.log.alerts(patient="")):
            await self.relays()
            self.clock.advance(seconds=61)
        word = answer(rows[0], said, actor="officer", note="told by telephone", now=self.clock.now())
        await self.log.append(Batch(recorded_at=self.clock.now(), records=(word,)))
        await self.watch.look()

    async def receipts(self) -> list[Attempt]:
        return attempts_in(await self.log.stream(kinds.delivery_stream(PATIENT)))

    def got(self, recipient: str) -> list[str]:
        """The subjects of what came to a recipient, without the reference at their end."""
        return [notice.title.rpartition(" (")[0] for name, notice, _ in self.sender.sent if name == recipient]


@pytest.fixture(params=["memory", "sqlite"])
async def trial(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Trial]:
    if request.param == "memory":
        yield Trial(MemoryLog())
        return
    url = f"sqlite:///{tmp_path / 'log.db'}"
    await upgrade(url)
    log = await SqliteLog.open(url)
    yield Trial(log)
    await log.close()


class TestDelivery:
    async def test_each_recipient_gets_the_notice_once_and_the_log_has_the_receipts(self, trial: Trial) -> None:
        await trial.happens(raised())
        await trial.runs_dry()
        assert [name for name, _, _ in trial.sender.sent] == ["officer", "phone"]
        notices = [receipt for receipt in await trial.receipts() if receipt.channel != "alert-topic"]
        assert {(r.recipient, r.outcome, r.then) for r in notices} == {
            ("officer", "delivered", "done"),
            ("phone", "delivered", "done"),
        }
        assert all(len(receipt.digest) == 64 for receipt in notices)
        assert await trial.relays() == 0

    async def test_a_receipt_names_no_text_and_no_address(self, trial: Trial) -> None:
        await trial.happens(raised())
        await trial.runs_dry()
        stored = "".join(record.payload for record in await trial.log.stream(kinds.delivery_stream(PATIENT)))
        assert "chimerism" not in stored
        assert "127.0.0.1" not in stored

    async def test_a_failed_notice_is_tried_again_after_growing_waits_and_each_attempt_is_recorded(
        self, trial: Trial
    ) -> None:
        trial.sender.answers("officer", FAILED, FAILED)
        await trial.happens(raised("mrd.rising", priority="medium"))
        await trial.relays("officer")
        assert await trial.relays("officer") == 0
        trial.clock.advance(seconds=1)
        assert await trial.relays("officer") == 1
        trial.clock.advance(seconds=1)
        assert await trial.relays("officer") == 0
        trial.clock.advance(seconds=1)
        assert await trial.relays("officer") == 1
        assert [(r.attempt, r.outcome, r.then) for r in await trial.receipts()] == [
            (1, "failed", "retry"),
            (2, "failed", "retry"),
            (3, "delivered", "done"),
        ]
        assert len({identity for _, _, identity in trial.sender.tried}) == 1

    async def test_after_a_plain_failure_the_next_notice_is_not_marked_as_a_duplicate(self, trial: Trial) -> None:
        trial.sender.answers("officer", FAILED)
        await trial.happens(raised())
        await trial.runs_dry()
        assert not any("duplicate" in title for title in trial.got("officer"))


class TestNeverZeroTimes:
    async def test_killed_between_send_and_settlement_the_notice_goes_again_with_the_same_id(
        self, trial: Trial
    ) -> None:
        await trial.happens(raised())
        trial.log.settling = asyncio.CancelledError
        with pytest.raises(asyncio.CancelledError):
            await trial.relays("officer")
        assert trial.got("officer")
        trial.log.settling = None
        trial.relay = trial.new_relay()
        assert await trial.relays("officer") == 0
        trial.clock.advance(seconds=ROW_LEASE.total_seconds())
        assert await trial.relays("officer") == 1
        first, second = (sent for sent in trial.sender.sent if sent[0] == "officer")
        assert second[2] == first[2]
        assert second[1].title.startswith("[possible duplicate] [HIGH]")
        assert second[1].body.startswith("You may have had this notice before")

    async def test_killed_before_the_send_the_notice_goes_when_its_lease_ends(self, trial: Trial) -> None:
        await trial.happens(raised())
        await trial.log.claim_outbox(limit=9, lease_for=ROW_LEASE, now=trial.clock.now(), channels={"officer"})
        trial.relay = trial.new_relay()
        trial.clock.advance(seconds=ROW_LEASE.total_seconds())
        await trial.runs_dry()
        assert len(trial.got("officer")) == 1

    async def test_an_ambiguous_send_is_repeated_and_says_so(self, trial: Trial) -> None:
        trial.sender.answers("officer", UNSURE)
        await trial.happens(raised())
        await trial.runs_dry()
        assert trial.got("officer") == ["[possible duplicate] [HIGH] Stop criterion: low donor chimerism in marrow"]
        assert [r.possible_duplicate for r in await trial.receipts() if r.recipient == "officer"] == [False, True]

    async def test_a_database_that_is_away_after_the_send_loses_nothing(
        self, trial: Trial, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("monitor.notify.delivering.SETTLE_PAUSE", 0.0)
        await trial.happens(raised())
        trial.log.settling = DatabaseUnavailable
        await trial.relays("officer")
        trial.log.settling = None
        trial.clock.advance(seconds=ROW_LEASE.total_seconds())
        await trial.runs_dry()
        assert len(trial.got("officer")) == 2

    async def test_a_row_that_cannot_be_read_holds_up_no_other(self, trial: Trial) -> None:
        await trial.happens(raised())
        now = trial.clock.now()
        broken = OutboxRow(
            row_id="0", patient=PATIENT, alert_id="x", channel="officer", recipient="officer", priority="high",
            payload="{}", created_at=now, not_before=now,
        )  # fmt: skip
        await trial.log.append(Batch(recorded_at=now, outbox=(broken,)))
        await trial.relays("officer")
        assert len(trial.got("officer")) == 1
        assert trial.observer.undelivered == 1


class TestFallback:
    async def test_after_so_many_failures_the_next_in_line_is_told_and_learns_why(self, trial: Trial) -> None:
        trial.sender.answers("officer", FAILED, FAILED, FAILED)
        await trial.happens(raised())
        await trial.runs_dry()
        assert trial.got("officer") == []
        (notice,) = (notice for name, notice, _ in trial.sender.sent if name == "investigator")
        assert notice.body.startswith("This notice was meant for officer, who could not be reached.")
        last = [r for r in await trial.receipts() if r.recipient == "officer"][-1]
        assert (last.attempt, last.then, last.handed_to) == (3, "handed_over", "investigator")

    async def test_a_refusal_is_not_repeated_but_handed_over_at_once(self, trial: Trial) -> None:
        trial.sender.answers("officer", REFUSED)
        await trial.happens(raised())
        await trial.relays("officer")
        await trial.relays("investigator")
        assert len(trial.got("investigator")) == 1

    async def test_where_nobody_is_left_an_alert_of_its_own_is_raised_and_the_tries_go_on(self, trial: Trial) -> None:
        trial.sender.answers("officer", *[FAILED] * 3)
        trial.sender.answers("investigator", *[FAILED] * 4)
        await trial.happens(raised())
        await trial.runs_dry()
        title = "[HIGH] A notice could not be delivered"
        assert title in trial.got("operators")
        assert title in trial.got("phone")
        assert trial.observer.undelivered == 1
        assert any("low donor chimerism" in got for got in trial.got("investigator"))

    async def test_that_alert_ends_when_the_notice_arrives_after_all(self, trial: Trial) -> None:
        trial.sender.answers("officer", *[FAILED] * 3)
        trial.sender.answers("investigator", *[FAILED] * 4)
        await trial.happens(raised())
        await trial.runs_dry()
        assert "[HIGH] Ended: A notice could not be delivered" in trial.got("operators")
        system = [record.kind for record in await trial.log.stream(kinds.SYSTEM_ALERTS)]
        assert system == ["safety.alert.raised.v1", "safety.alert.resolved.v1"]
        (row,) = await trial.log.alerts(patient="")
        assert (row.rule, row.status, row.revision) == ("ops.notice-undelivered", "resolved", 2)
        types = [json.loads(value)["type"] for _, value in trial.publisher.events]
        assert types == ["safety.alert.raised.v1", "safety.alert.raised.v1", "safety.alert.resolved.v1"]

    async def test_it_is_in_the_queue_and_follows_what_a_person_says_of_it(self, trial: Trial) -> None:
        await trial.stuck_and("acknowledged")
        assert [row.status for row in await trial.log.alerts(patient="")] == ["acknowledged"]
        await trial.runs_dry()
        (row,) = await trial.log.alerts(patient="")
        assert (row.status, row.revision) == ("resolved", 3)
        assert not (await kept(trial.log)).differing(await folded(trial.log, Protocol.load()))

    async def test_it_is_not_sent_while_the_end_of_that_alert_could_not_be_told(self, trial: Trial) -> None:
        await trial.stuck_and("acknowledged")
        trial.log.reading = DatabaseUnavailable
        before = len(trial.sender.tried)
        trial.clock.advance(seconds=61)
        await trial.relays("investigator")
        assert len(trial.sender.tried) == before
        trial.log.reading = None
        await trial.runs_dry()
        assert [row.status for row in await trial.log.alerts(patient="")] == ["resolved"]

    async def test_what_a_person_has_closed_is_not_closed_again(self, trial: Trial) -> None:
        await trial.stuck_and("resolved")
        await trial.runs_dry()
        (row,) = await trial.log.alerts(patient="")
        assert (row.status, row.revision) == ("resolved", 2)

    async def test_a_notice_about_an_undelivered_notice_raises_no_further_one(self, trial: Trial) -> None:
        trial.sender.answers("officer", *[FAILED] * 30)
        trial.sender.answers("investigator", *[FAILED] * 30)
        await trial.happens(raised())
        for _ in range(20):
            await trial.relays()
            trial.clock.advance(seconds=61)
        assert trial.observer.undelivered == 1

    async def test_a_recipient_who_is_in_the_routing_no_more_is_replaced(self, trial: Trial) -> None:
        await trial.happens(raised())
        trial.sender.known.discard("phone")
        await trial.runs_dry()
        assert len(trial.got("investigator")) == 1


class TestTheEndOfAnAlert:
    async def test_it_is_told_to_exactly_those_who_were_told_of_the_alert(self, trial: Trial) -> None:
        trial.sender.answers("phone", REFUSED)
        first = raised()
        await trial.happens(first)
        await trial.runs_dry()
        await trial.happens(later(first, "withdrawn"))
        await trial.runs_dry()
        ended = {name for name, notice, _ in trial.sender.sent if "Withdrawn" in notice.title}
        assert ended == {"officer", "investigator"}
        assert ("phone", "not_needed") in trial.observer.attempts
        assert ("operators", "not_needed") in trial.observer.attempts

    async def test_the_end_of_one_reminder_is_told_to_those_who_had_it_with_others(self, trial: Trial) -> None:
        late = {"priority": "medium", "effective_at": NOW.date()}
        first = raised("monitoring.overdue", alert_id="gvhd", **late)
        second = raised("azacitidine.cycle-late", alert_id="cycle", **late)
        await trial.happens(first, second)
        await trial.runs_dry()
        assert trial.got("officer") == ["[MEDIUM] 2 reminders of one day"]
        await trial.happens(later(second, "resolved", details={"outcome": "came"}))
        await trial.runs_dry()
        assert any("Ended" in title for title in trial.got("officer"))

    async def test_nobody_is_told_of_the_end_of_what_nobody_was_told_of(self, trial: Trial) -> None:
        first = raised("mrd.low-level", priority="low")
        await trial.happens(first)
        await trial.happens(later(first, "resolved", details={"outcome": "later_result"}))
        await trial.runs_dry()
        assert trial.sender.sent == []

    async def test_one_who_may_have_got_the_alert_is_told_of_its_end(self, trial: Trial) -> None:
        trial.sender.answers("officer", UNSURE, *[FAILED] * 2)
        first = raised()
        await trial.happens(first)
        await trial.relays("officer")
        await trial.happens(later(first, "withdrawn"))
        await trial.runs_dry()
        assert any("Withdrawn" in title for title in trial.got("officer"))

    async def test_the_end_waits_for_the_alert_that_is_still_on_its_way(self, trial: Trial) -> None:
        trial.sender.answers("officer", FAILED)
        first = raised("mrd.rising", priority="medium")
        await trial.happens(first)
        await trial.happens(later(first, "resolved", details={"outcome": "not_confirmed"}))
        await trial.runs_dry()
        assert [title.split()[1] for title in trial.got("officer")] == ["MRD", "Ended:"]
        assert not any("duplicate" in title for title in trial.got("officer"))

    async def test_after_a_restart_it_waits_for_what_another_process_may_have_under_way(self, trial: Trial) -> None:
        first = raised()
        await trial.happens(first)
        await trial.log.claim_outbox(limit=9, lease_for=ROW_LEASE, now=trial.clock.now(), channels={"officer"})
        await trial.happens(later(first, "withdrawn"))
        trial.relay = trial.new_relay("two")
        await trial.relay._take_the_lead()
        await trial.relays("officer")
        assert trial.sender.sent == []
        await trial.runs_dry()
        stop = "Stop criterion: low donor chimerism in marrow"
        assert trial.got("officer") == [f"[possible duplicate] [HIGH] {stop}", f"[HIGH] Withdrawn: {stop}"]


class TestTheTopic:
    async def test_while_the_broker_is_down_events_wait_and_keep_their_order(self, trial: Trial) -> None:
        first = raised()
        changes = [first, later(first, "acknowledged"), later(later(first, "acknowledged"), "resolved")]
        trial.publisher.down = True
        for change in changes:
            await trial.happens(change)
            await trial.relays("alert-topic")
            trial.clock.advance(seconds=0.4)
        trial.publisher.down = False
        await trial.runs_dry()
        types = [json.loads(value)["type"].split(".")[2] for _, value in trial.publisher.events]
        assert types == ["raised", "acknowledged", "resolved"]

    async def test_events_of_one_batch_go_out_in_order(self, trial: Trial) -> None:
        first = raised()
        trial.publisher.down = True
        for change in (first, later(first, "revised"), later(later(first, "revised"), "withdrawn")):
            await trial.happens(change)
        await trial.relays("alert-topic")
        trial.publisher.down = False
        await trial.runs_dry()
        types = [json.loads(value)["type"].split(".")[2] for _, value in trial.publisher.events]
        assert types == ["raised", "revised", "withdrawn"]


@pytest.fixture
async def running(trial: Trial) -> AsyncIterator[Trial]:
    task = asyncio.create_task(trial.relay.run())
    yield trial
    trial.relay.stop()
    await asyncio.wait_for(task, 5)


async def eventually(holds: Callable[[], object]) -> None:
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to hold in 5 s")


class TestRunning:
    async def test_it_sends_what_comes_while_it_runs_and_stops_when_told(self, running: Trial) -> None:
        await running.happens(raised())
        running.relay.wake()
        await eventually(lambda: len(running.sender.sent) == 2 and running.publisher.events)

    async def test_a_second_relay_sends_nothing_while_the_first_holds_the_lease(self, running: Trial) -> None:
        await eventually(lambda: running.relay._leading)
        second = running.new_relay("two")
        await second._take_the_lead()
        assert second._leading is False

    async def test_it_takes_over_when_the_lease_of_another_ends(self, trial: Trial) -> None:
        await trial.new_relay("gone")._take_the_lead()
        trial.clock.advance(seconds=16)
        await trial.relay._take_the_lead()
        assert trial.relay._leading is True

    async def test_a_database_that_goes_and_comes_back_does_not_end_it(self, running: Trial) -> None:
        running.log.claiming = DatabaseUnavailable
        await running.happens(raised())
        await asyncio.sleep(0.05)
        assert running.sender.sent == []
        running.log.claiming = None
        await eventually(lambda: len(running.sender.sent) == 2)

    async def test_rows_of_a_channel_that_is_configured_no_more_are_taken_up(self, running: Trial) -> None:
        now = running.clock.now()
        rows = [row for row in running.announcer.of_changes([raised()], now) if row.recipient == "officer"]
        moved = OutboxRow(**{**{name: getattr(rows[0], name) for name in OutboxRow.__slots__}, "channel": "pager"})
        await running.log.append(Batch(recorded_at=now, outbox=(moved,)))
        await eventually(lambda: running.got("officer"))

    async def test_the_metrics_hear_what_waits(self, running: Trial) -> None:
        running.publisher.down = True
        await running.happens(raised())
        await eventually(lambda: running.observer.pending.get("alert-topic") == 1)


async def test_a_notice_goes_through_apprise_to_a_mailbox_and_the_receipt_to_the_log() -> None:
    async with MailCatcher() as mail:
        url = mail.url("officer@example.org")
        routing = Routing.model_validate(
            {
                "format": 1,
                "recipients": {"officer": {"url": url}},
                "priorities": {name: {"recipients": ["officer"]} for name in ("high", "medium", "low")},
            }
        )
        trial = Trial(MemoryLog(), routing)
        async with AppriseSender({"officer": Recipient.model_validate({"url": url})}) as sender:
            trial.sender = sender  # type: ignore[assignment]
            trial.relay = trial.new_relay()
            first = raised()
            await trial.happens(first)
            await trial.runs_dry()
            await trial.happens(later(first, "withdrawn"))
            await trial.runs_dry()
        subjects = [message["Subject"] for message in mail.messages]
    assert subjects == [
        "[HIGH] Stop criterion: low donor chimerism in marrow (a1b2c3d4)",
        "[HIGH] Withdrawn: Stop criterion: low donor chimerism in marrow (a1b2c3d4)",
    ]
    receipts = [receipt for receipt in await trial.receipts() if receipt.channel == "officer"]
    assert [(receipt.outcome, receipt.detail) for receipt in receipts] == [("delivered", "accepted")] * 2
    assert (await trial.log.outbox_backlog()) == []
    assert mail.by_recipient == {"officer@example.org": 2}
    assert trial.clock.now() - FakeClock().now() < timedelta(minutes=5)
