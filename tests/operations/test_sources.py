"""Feeds that break or fall silent: when people are called, by what the log has counted."""

from datetime import datetime, timedelta

import pytest

from monitor.audit.batch import SourceRow
from monitor.audit.sources import hour_of
from monitor.operations.naming import LONGEST, named
from monitor.operations.quarantine_share import MOST, spoilt
from monitor.operations.source_silent import LISTENING, REGULAR, SILENT_AFTER, SourceSilent, silent
from monitor.operations.trouble import Trouble
from monitor.settings import Settings
from tests.engine.bench import Bench
from tests.engine.wire import START, enrolment, platelets

LAB = "safety.lab"
AFTER = {LAB: timedelta(days=3)}


def row(source: str = "/shgh/lis", read: int = 0, refused: int = 0, topic: str = LAB, **changes: object) -> SourceRow:
    fields: dict[str, object] = {
        "topic": topic, "source": source, "last_at": START, "read_ever": 100, "hour": hour_of(START),
        "read": read, "refused": refused, "read_before": 0, "refused_before": 0,
    }  # fmt: skip
    return SourceRow(**fields | changes)  # type: ignore[arg-type]


def bad(*rows: SourceRow, now: datetime = START) -> list[Trouble]:
    return spoilt(rows, now, share=0.2, minimum=20)


class TestAShareOfBadInput:
    def test_people_are_called_past_the_share_and_not_at_it(self) -> None:
        assert bad(row(read=80, refused=20)) == []
        (trouble,) = bad(row(read=79, refused=20))
        assert trouble.summary == (
            "20 of 99 messages from /shgh/lis on safety.lab could not be read, in this hour and the one before"
        )
        assert trouble.priority == "high"

    def test_a_few_bad_messages_call_nobody(self) -> None:
        assert bad(row(refused=19)) == []

    def test_a_good_source_does_not_hide_a_bad_one_nor_is_it_blamed(self) -> None:
        troubles = bad(row("/good", read=5_000), row("/bad", refused=30))
        assert [trouble.item for trouble in troubles] == ["safety.lab /bad"]

    def test_what_comes_from_nobody_knows_whom_is_held_against_the_topic(self) -> None:
        assert bad(row("", refused=20), row("/good", read=100)) == []
        (trouble,) = bad(row("", refused=20), row("/good", read=70))
        assert trouble.item == LAB
        assert "20 of 90" in trouble.summary

    def test_it_is_over_when_the_share_falls_and_when_nothing_comes_any_more(self) -> None:
        spoiled = row(refused=30)
        assert bad(row(read=200, refused_before=30)) == []
        assert bad(spoiled, now=START + timedelta(hours=1))
        assert bad(spoiled, now=START + timedelta(hours=2)) == []

    def test_made_up_sources_make_no_flood(self) -> None:
        troubles = bad(*(row(f"/made/up/{n}", refused=20) for n in range(MOST + 5)))
        assert len(troubles) == MOST + 1
        assert troubles[-1].summary.startswith("5 more sources")

    def test_a_name_from_outside_is_kept_to_one_short_line(self) -> None:
        assert named("/lis\n[HIGH] all is well") == "/lis?[HIGH] all is well"
        assert len(named("x" * 500)) == LONGEST


class TestSilence:
    def test_who_has_sent_regularly_is_missed_after_the_topics_span(self) -> None:
        assert silent([row()], START + timedelta(days=3), AFTER) == []
        (trouble,) = silent([row()], START + timedelta(days=3, seconds=1), AFTER)
        assert trouble.summary == "Nothing has come from /shgh/lis on safety.lab for 3 days and more"
        assert trouble.since == START

    def test_who_sent_a_few_times_or_on_a_topic_without_a_span_is_not_missed(self) -> None:
        later = START + timedelta(days=400)
        assert silent([row(read_ever=REGULAR - 1)], later, AFTER) == []
        assert silent([row(topic="safety.patient")], later, AFTER) == []
        assert "safety.patient" not in SILENT_AFTER

    async def test_a_worker_that_just_started_listens_first(self) -> None:
        bench = await _spoken()
        started = START + timedelta(days=30)
        check = SourceSilent(bench.log, after={}, since=started)
        assert await check.troubles(started) == ()
        assert [each.item for each in await check.troubles(started + LISTENING)] == ["safety.lab /test/source"]

    async def test_a_topic_can_be_switched_off(self) -> None:
        bench = await _spoken()
        check = SourceSilent(bench.log, after={LAB: 0}, since=START)
        assert await check.troubles(START + timedelta(days=30)) == []


async def _spoken() -> Bench:
    """A feed that has sent regularly, through the recorder."""
    bench = Bench()
    recorder = await bench.start()
    await recorder.record(bench.sent("safety.patient", enrolment("SH-001")))
    await recorder.record(bench.sent(LAB, *(platelets("SH-001", day) for day in range(REGULAR))))
    return bench


async def test_the_recorder_counts_what_each_source_sent_and_what_was_refused() -> None:
    bench = await _spoken()
    recorder = await bench.start()
    await recorder.record(bench.sent(LAB, b"no JSON at all", b"nor this"))

    rows = {(each.topic, each.source): (each.read, each.refused) for each in await bench.log.sources()}

    assert rows[LAB, "/test/source"] == (REGULAR, 0)
    assert rows[LAB, ""] == (0, 2)
    counted = bench.metrics.registry.get_sample_value("safety_messages_total", {"topic": "other", "outcome": "refused"})
    assert counted == 2


def test_a_span_for_a_topic_that_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="no such topic"):
        Settings.model_validate({"silent_after": {"safety.labs": 1.0}})
