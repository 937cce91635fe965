import json
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from monitor.audit.batch import OutboxRow
from monitor.core.alert import Change
from monitor.notify.announcing import Announcer
from monitor.notify.queued import QueuedNotice
from monitor.notify.routing import Routing
from monitor.notify.telling import Telling, telling

from .alerts import NOW, PATIENT, alert, later, raised

TZ = ZoneInfo("Asia/Shanghai")
ROUTING = Routing.model_validate(
    {
        "format": 1,
        "recipients": {
            name: {"url": SecretStr(f"json://127.0.0.1/{name}")}
            for name in ("officer", "phone", "investigator", "operators")
        },
        "priorities": {
            "high": {"recipients": ["officer", "phone"], "fallback": ["investigator"], "attempts": 3},
            "medium": {"recipients": ["officer"]},
            "low": {},
        },
        "operations": ["operators"],
    }
)


def rows(change: Change, routing: Routing | None = ROUTING) -> list[OutboxRow]:
    return list(Announcer(routing, TZ).of_changes([change], NOW))


def told(change: Change) -> list[str]:
    return [row.recipient for row in rows(change) if row.channel != "alert-topic"]


class TestWhoIsTold:
    def test_all_recipients_of_the_priority_are_told_of_a_new_alert(self) -> None:
        assert told(raised()) == ["officer", "phone"]
        assert told(raised("mrd.rising", priority="medium")) == ["officer"]
        assert told(raised("mrd.low-level", priority="low")) == []

    def test_those_who_run_the_monitor_are_told_of_its_own_alerts_too(self) -> None:
        assert told(raised("ops.assessment-failed")) == ["officer", "phone", "operators"]

    @pytest.mark.parametrize("kind", ["withdrawn", "resolved"])
    def test_the_end_is_meant_for_all_who_may_have_been_told(self, kind: str) -> None:
        change = later(raised(), kind)
        assert told(change) == ["officer", "phone", "investigator", "operators"]
        notices = [QueuedNotice.from_payload(row.payload) for row in rows(change)[1:]]
        assert all(notice.only_if_told and notice.fallback == () for notice in notices)

    def test_a_notice_knows_who_is_told_where_its_recipient_cannot_be(self) -> None:
        notice = QueuedNotice.from_payload(rows(raised())[1].payload)
        assert (notice.attempts, notice.fallback) == (3, (("investigator", "investigator"),))
        assert notice.only_if_told is False

    def test_without_a_routing_only_the_topic_hears(self) -> None:
        assert [row.channel for row in rows(raised(), None)] == ["alert-topic"]


class TestWhichChangesAreTold:
    @pytest.mark.parametrize("kind", ["acknowledged", "shelved"])
    def test_what_a_person_did_is_not_told(self, kind: str) -> None:
        change = later(raised(), kind)
        assert telling(change) is Telling.SILENT_PERSON
        assert told(change) == []

    @pytest.mark.parametrize(
        "worse",
        [
            {"priority": "high"},
            {"provisional": False},
            {"details": {"grade": 3, "severity": "mild", "due_on": "2025-06-20"}},
            {"details": {"grade": 2, "severity": "moderate", "due_on": "2025-06-20"}},
            {"details": {"grade": 2, "severity": "mild", "due_on": "2025-06-18"}},
            {"details": {"grade": 2, "severity": "mild", "due_on": "2025-06-20", "known": True}},
            {"details": {"grade": 2, "severity": "mild", "due_on": "2025-06-20", "stage": "breach"}},
        ],
    )
    def test_a_revision_for_the_worse_is_told(self, worse: dict[str, Any]) -> None:
        details = {"grade": 2, "severity": "mild", "due_on": "2025-06-20"}
        first = raised("gvhd.grade-mismatch", priority="medium", provisional=True, details=details)
        assert telling(later(first, "revised", **worse)) is Telling.WORSE

    def test_a_revision_that_is_no_worse_is_not_told(self) -> None:
        first = raised("gvhd.grade-mismatch", priority="high", details={"grade": 3, "due_on": "2025-06-18"})
        better = later(first, "revised", priority="medium", details={"grade": 2, "due_on": "2025-06-20"})
        assert telling(better) is Telling.SILENT_NO_WORSE
        assert told(better) == []

    def test_any_change_of_a_stop_but_its_list_of_facts_is_told(self) -> None:
        assert telling(later(raised(), "revised", summary="Donor chimerism 88%")) is Telling.STOP_CHANGED
        earlier = alert().raised_at - timedelta(days=9)
        assert telling(later(raised(), "revised", effective_at=earlier)) is Telling.STOP_CHANGED
        assert telling(later(raised(), "revised", basis=("lis-1", "lis-2"))) is Telling.SILENT_NO_WORSE

    def test_an_escalation_is_told(self) -> None:
        assert telling(later(raised(), "escalated")) is Telling.ESCALATED


class TestTheTopic:
    @pytest.mark.parametrize(
        "kind", ["raised", "revised", "acknowledged", "escalated", "shelved", "withdrawn", "resolved"]
    )
    def test_every_change_goes_to_the_alert_topic_keyed_by_patient(self, kind: str) -> None:
        row = rows(later(raised(), kind))[0]
        payload = json.loads(row.payload)
        event = json.loads(payload["value"])
        assert (row.channel, row.recipient, payload["key"]) == ("alert-topic", "safety.alert", PATIENT)
        assert event["type"] == f"safety.alert.{kind}.v1"
        assert event["data"]["alert"]["rule"] == "stop.chimerism"

    def test_an_event_has_the_same_id_whenever_it_is_made(self) -> None:
        first, again = (json.loads(json.loads(rows(raised())[0].payload)["value"])["id"] for _ in range(2))
        assert first == again


class TestRows:
    def test_a_row_that_is_made_again_is_the_same_row(self) -> None:
        assert rows(raised()) == rows(raised())

    def test_rows_of_one_alert_sort_in_the_order_of_its_changes(self) -> None:
        first = raised()
        second = later(first, "revised", at=NOW, summary="Donor chimerism 80%")
        third = later(second, "acknowledged", at=NOW + timedelta(seconds=1))
        ids = [rows(change)[0].row_id for change in (first, second, third)]
        assert ids == sorted(ids)

    def test_no_row_but_the_topic_s_names_the_patient(self) -> None:
        change = raised(summary=f"Donor chimerism 85% of {PATIENT}, below 90%")
        assert all(PATIENT not in row.payload + row.row_id for row in rows(change)[1:])
