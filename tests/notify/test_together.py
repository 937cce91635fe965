"""Reminders of one visit come as one notice; everything else is told by itself."""

import json
import os
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from monitor.core.alert import Change
from monitor.core.finding import Rule
from monitor.core.rules import azacitidine, dli, dli_conflict, monitoring
from monitor.notify.announcing import Announcer
from monitor.notify.queued import QueuedNotice
from monitor.notify.receipts import Told, told
from monitor.notify.render import Style, render_together
from monitor.notify.together import REMINDERS, together

from .alerts import NOW, later, raised
from .test_announcing import ROUTING, TZ

GOLDEN = Path(__file__).parent / "golden" / "reminders-of-one-day.txt"


def reminder(rule: str, reference: str, summary: str = "It is late", **more: Any) -> Change:
    known = {"priority": "medium", "effective_at": date(2025, 6, 13), "clause": "practice", "reading": ""}
    return raised(rule, alert_id=reference, summary=summary, **{**known, "details": {}, **more})


GVHD = reminder("monitoring.overdue", "a1", "No GVHD assessment for more than 14 days", item="gvhd")
MARROW = reminder("monitoring.overdue", "b2", "No marrow chimerism for more than 60 days", item="chimerism")
CYCLE = reminder("azacitidine.cycle-late", "c3", "No azacitidine cycle has begun in the 42 days since cycle 1 began")


def bundles(*changes: Change) -> list[list[str]]:
    return [[change.alert.alert_id for change in bundle] for bundle in together(changes)]


def test_reminders_of_one_patient_and_day_come_as_one() -> None:
    assert bundles(GVHD, MARROW, CYCLE) == [["a1", "b2", "c3"]]


def test_another_day_patient_or_priority_is_another_notice() -> None:
    others = [
        reminder("monitoring.overdue", "d4", effective_at=date(2025, 6, 12)),
        reminder("monitoring.overdue", "e5", patient="SH-018"),
        reminder("monitoring.overdue", "f6", priority="low"),
    ]
    assert bundles(GVHD, *others) == [["a1"], ["d4"], ["e5"], ["f6"]]


def test_what_is_no_reminder_is_told_alone_and_in_its_place() -> None:
    stop = raised(alert_id="s0")
    assert bundles(stop, GVHD, raised("mrd.rising", alert_id="m0"), MARROW) == [["s0"], ["a1", "b2"], ["m0"]]


def test_a_reminder_that_ends_at_once_is_told_alone_so_that_its_end_finds_its_readers() -> None:
    assert bundles(GVHD, MARROW, later(GVHD, "resolved")) == [["a1"], ["b2"], ["a1"]]


def test_the_rules_that_remind_of_a_visit_are_rules() -> None:
    declared = [each for module in (azacitidine, dli, dli_conflict, monitoring) for each in vars(module).values()]
    assert {each.id for each in declared if isinstance(each, Rule)} >= REMINDERS


def test_each_change_is_an_event_and_all_are_one_row_a_recipient() -> None:
    rows = Announcer(ROUTING, TZ).of_changes([GVHD, MARROW, CYCLE], NOW)
    assert [row.alert_id for row in rows if row.channel == "alert-topic"] == ["a1", "b2", "c3"]
    (notice,) = [QueuedNotice.from_payload(row.payload) for row in rows if row.channel != "alert-topic"]
    assert (notice.alert_id, notice.also) == ("a1", ("b2", "c3"))


def test_the_one_notice_reads_as_it_was_approved() -> None:
    notice = render_together([GVHD, MARROW, CYCLE], Style(ZoneInfo("Asia/Shanghai")))
    text = f"{notice.title}\n{'=' * len(notice.title)}\n{notice.body}"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_a_notice_queued_before_there_were_bundles_is_still_read() -> None:
    (row,) = [row for row in Announcer(ROUTING, TZ).of_changes([GVHD], NOW) if row.channel != "alert-topic"]
    fields = json.loads(row.payload)
    del fields["also"]
    assert QueuedNotice.from_payload(json.dumps(fields)).also == ()


def test_who_never_had_a_notice_was_told_of_nothing() -> None:
    assert told([], "b2", "officer") is Told.NO
