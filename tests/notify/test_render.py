"""What people read. UPDATE_GOLDEN=1 writes the golden texts anew; read them aloud before you commit them."""

import os
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.alert import Change
from monitor.notify.figures import figures
from monitor.notify.render import WIDTH, Style, render
from monitor.notify.when import counted, spoken

from .alerts import DAY, NOW, PATIENT, later, raised
from .rules import RULES

GOLDEN = Path(__file__).parent / "golden"
SHANGHAI = ZoneInfo("Asia/Shanghai")
QUIET = Style(SHANGHAI)
NAMING = Style(SHANGHAI, study_number=True, acknowledge_at="https://monitor.example.org/alerts")

GVHD = raised(
    "stop.acute-gvhd",
    clause="stop.2",
    reading="acute_gvhd.stop_grade: 2",
    boundary=True,
    provisional=True,
    review=True,
    summary="Acute GVHD grade II (skin 2, liver 1, lower GI not assessed)",
    details={"grade": 2, "reported": 1, "lower_bound": True},
)
WINDOW = raised(
    "restart.window-closing",
    priority="medium",
    clause="stop.2",
    reading="restart.unit: days",
    effective_at=date(2025, 6, 13),
    summary="The restart window closes at the end of 2025-06-20",
    details={"due_on": DAY.isoformat(), "readiness": {"platelets": "pass"}},
)
SUSAR = raised(
    "report.susar-clock",
    clause="practice",
    reading="",
    review=True,
    summary="Serious adverse event, possibly related and unexpected: report within 7 days",
    details={"stage": "reminder", "due_on": "2025-06-15", "days": 7},
)
CASES: dict[str, tuple[Change, Style]] = {
    "stop-chimerism": (raised(), QUIET),
    "stop-chimerism-named": (raised(), NAMING),
    "stop-acute-gvhd-provisional": (GVHD, QUIET),
    "stop-acute-gvhd-confirmed": (
        later(
            GVHD, "escalated", provisional=False, boundary=False, summary="Acute GVHD grade III", details={"grade": 3}
        ),
        QUIET,
    ),
    "stop-chimerism-corrected": (
        later(
            raised(),
            "revised",
            at=NOW + timedelta(days=2),
            effective_at=datetime(2025, 6, 3, 3, 20, tzinfo=UTC),
            summary="Donor chimerism 82% in whole marrow, below 90%",
            details={"value": "82", "unit": "%", "reference": "90"},
        ),
        QUIET,
    ),
    "stop-chimerism-corrected-after-its-end": (
        later(
            raised(status="resolved", details={"value": "85", "unit": "%", "reference": "90", "outcome": "decision"}),
            "revised",
            status="resolved",
            at=NOW + timedelta(days=2),
            summary="Donor chimerism 84% in whole marrow, below 90%",
            details={"value": "84", "unit": "%", "reference": "90", "outcome": "decision"},
        ),
        QUIET,
    ),
    "stop-chimerism-lower-still": (
        later(
            raised(),
            "revised",
            at=NOW + timedelta(days=9),
            summary="Donor chimerism 85% in whole marrow, below 90%. Latest: Donor chimerism 71% in whole marrow",
        ),
        QUIET,
    ),
    "stop-chimerism-withdrawn": (later(raised(), "withdrawn", at=NOW + timedelta(days=1)), QUIET),
    "stop-chimerism-closed-by-a-person": (later(raised(), "resolved", details={"outcome": "person"}), QUIET),
    "stop-chimerism-lifted": (later(raised(), "resolved", details={"outcome": "decision"}), QUIET),
    "restart-window-closing": (WINDOW, QUIET),
    "restart-window-used": (later(WINDOW, "resolved", details={"outcome": "decision"}), QUIET),
    "susar-reminder": (SUSAR, QUIET),
    "mrd-rising": (
        raised(
            "mrd.rising",
            priority="medium",
            clause="dosing.3",
            reading="mrd.reference: nadir",
            summary="MRD rose more than 10-fold: 0.25 %, held against 0.02 by qpcr NPM1 bone marrow",
            details={"value": "0.25 %", "unit": "%", "reference": "0.02", "log10_change": "1.10", "item": "qpcr NPM1"},
        ),
        QUIET,
    ),
    "reminder-held-back": (
        later(
            raised(
                "monitoring.overdue",
                priority="low",
                clause="practice",
                reading="",
                effective_at=date(2025, 6, 13),
                summary="No GVHD assessment for more than 14 days",
                details={"item": "gvhd", "due_on": "2025-06-13"},
            ),
            "resolved",
            details={"item": "gvhd", "outcome": "state_ended", "inhibited_by": ["stop.chimerism"]},
        ),
        QUIET,
    ),
    "dose-after-stop": (
        raised(
            "treatment.dose-after-stop",
            clause="stop",
            reading="",
            summary="Donor lymphocytes given after a stop (stop.acute-gvhd, effective 2025-05-19T01:00:00Z)",
            details={"known": False, "stops": ["stop.acute-gvhd"], "value": "donor lymphocytes"},
        ),
        QUIET,
    ),
    "dli-dose": (
        raised(
            "dli.dose",
            review=True,
            clause="dosing",
            reading="",
            summary="DLI of 1.0e+6 CD3+ cells/kg, above the level that is due (up to 1e+5 + 10%)",
            details={"value": "1.0E+6", "unit": "CD3+/kg", "reference": "1e+5"},
        ),
        QUIET,
    ),
    "result-sent-again": (
        later(
            raised(
                "data.unit-unknown",
                priority="medium",
                clause="practice",
                reading="",
                summary="A message was refused and not used: donor_percent: the unit is not there.",
                details={"value": "unit_unknown"},
            ),
            "withdrawn",
        ),
        QUIET,
    ),
    "assessment-failed": (
        raised(
            "ops.assessment-failed",
            review=True,
            clause="",
            reading="",
            effective_at=NOW,
            summary="The monitor could not assess this patient because of a mistake of its own.",
            details={"error": "ZeroDivisionError"},
        ),
        QUIET,
    ),
}


QUARANTINE = raised(
    "ops.quarantine-share",
    patient="",
    clause="practice",
    reading="",
    basis=(),
    effective_at=NOW,
    summary="41 of 60 messages from /shgh/lis on safety.lab could not be read, in this hour and the one before",
    details={"item": "safety.lab /shgh/lis"},
)
CASES["history-size"] = (
    raised(
        "ops.history-size",
        patient="",
        priority="medium",
        clause="practice",
        reading="",
        basis=(),
        effective_at=NOW,
        summary="The history of one patient has more than 10000 records",
        details={"patients": 1, "records": 10_000},
    ),
    QUIET,
)
CASES["source-silent"] = (
    raised(
        "ops.source-silent",
        patient="",
        priority="medium",
        clause="practice",
        reading="",
        basis=(),
        effective_at=NOW - timedelta(days=3),
        summary="Nothing has come from /shgh/lis on safety.lab for 3 days and more",
        details={"topic": "safety.lab", "source": "/shgh/lis"},
    ),
    NAMING,
)
CASES["log-broken"] = (
    raised(
        "ops.log-broken",
        patient="",
        clause="practice",
        reading="",
        basis=(),
        effective_at=NOW,
        summary="Record 4711 of the audit log does not hold: its payload is not the one that was recorded",
        details={"record": 4711},
    ),
    QUIET,
)
CASES["stop-in-doubt"] = (
    raised(
        "ops.stop-in-doubt",
        patient="",
        clause="practice",
        reading="",
        basis=(),
        effective_at=NOW,
        summary="The stop that alert 09fb584f3ebb16be told of is not found by the newer rules; it stays",
        details={"alert": "09fb584f3ebb16be", "of": "stop.acute-gvhd"},
    ),
    QUIET,
)
CASES["quarantine-share"] = (QUARANTINE, QUIET)
CASES["quarantine-share-over"] = (
    later(QUARANTINE, "resolved", at=NOW + timedelta(hours=2), details={"outcome": "over"}),
    QUIET,
)


@pytest.mark.parametrize("name", CASES)
def test_a_notice_reads_as_it_was_approved(name: str) -> None:
    notice = render(*CASES[name])
    text = f"{notice.title}\n{'=' * len(notice.title)}\n{notice.body}"
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", RULES)
def test_every_notice_says_priority_first_and_how_to_acknowledge(rule: str) -> None:
    notice = render(raised(rule), QUIET)
    assert notice.title.startswith("[HIGH] ")
    assert notice.body.startswith("HIGH PRIORITY")
    for part in ("WHAT HAPPENED", "WHY", "WHAT THE PROTOCOL SAYS", "WHAT TO DO NEXT", "TO ACKNOWLEDGE"):
        assert part in notice.body
    assert "safety-monitor acknowledge a1b2c3d4e5f60718 --actor" in notice.body


def test_the_end_of_a_stop_says_that_nothing_resumes_by_itself() -> None:
    for kind, details in (
        ("withdrawn", {}),
        ("resolved", {"outcome": "person"}),
        ("resolved", {"outcome": "decision"}),
    ):
        body = render(later(raised(), kind, details=details), QUIET).body
        assert "Nothing resumes by itself." in body
        assert "TO ACKNOWLEDGE" not in body


def test_a_patient_is_named_only_where_the_site_wants_it() -> None:
    change = raised(summary=f"Donor chimerism 85% of {PATIENT}, below 90%")
    assert PATIENT not in render(change, QUIET).title + render(change, QUIET).body
    assert PATIENT in render(change, NAMING).title
    assert f"Patient: {PATIENT}" in render(change, NAMING).body


@pytest.mark.parametrize(
    ("details", "line"),
    [
        ({"value": "0.5 %", "unit": "%"}, "Value: 0.5 %"),
        ({"value": "85", "unit": "%"}, "Value: 85 %"),
        ({"value": "<0.01", "unit": "%"}, "Value: <0.01 %"),
        ({"reference": "undetected (below 0.01 %)", "unit": "%"}, "Held against: undetected (below 0.01 %)"),
        ({"value": "1.0E+6", "unit": "CD3+/kg"}, "Value: 1.0×10^6 CD3+/kg"),
        ({"value": "5000000", "unit": "CD3+/kg"}, "Value: 5×10^6 CD3+/kg"),
        ({"value": "123456", "unit": "CD3+/kg"}, "Value: 1.23456×10^5 CD3+/kg"),
        ({"reference": "2025-05-13", "unit": "d"}, "Held against: 13 May 2025"),
        ({"grade": 2, "item": "stop.acute-gvhd"}, "Grade: II"),
        ({"grade": 4}, "Grade: 4"),
        ({"log10_change": "1.04"}, "Change: 1.04 log10"),
    ],
)
def test_figures_are_written_as_people_write_them(details: dict[str, object], line: str) -> None:
    assert figures(raised("eligibility.stop-criterion", details=details).alert, NOW, SHANGHAI) == [line]


@pytest.mark.parametrize(("value", "said"), [("0.2001", "just over 1"), ("0.2", "1.00"), ("0.1999", "1.00")])
def test_just_more_than_tenfold_is_told_from_tenfold(value: str, said: str) -> None:
    details = {"value": value, "unit": "%", "reference": "0.02", "log10_change": "1.00"}
    assert f"Change: {said} log10" in figures(raised("mrd.rising", details=details).alert, NOW, SHANGHAI)


def test_record_ids_are_not_in_a_notice_for_they_may_name_somebody() -> None:
    assert "lis-88213" not in render(raised(), QUIET).body


def test_times_are_those_of_the_site_with_a_count_of_days() -> None:
    assert spoken(NOW, SHANGHAI) == "13 June 2025, 03:01"
    assert counted(date(2025, 6, 13), NOW, SHANGHAI) == "today"
    assert counted(date(2025, 6, 12), NOW, SHANGHAI) == "yesterday"
    assert counted(DAY, NOW, SHANGHAI) == "in 7 days"
    assert counted(NOW - timedelta(days=3), NOW, SHANGHAI) == "3 days ago"


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=30), st.lists(st.text(max_size=5), max_size=3),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
)  # fmt: skip
KEYS = (
    "value",
    "unit",
    "reference",
    "log10_change",
    "grade",
    "severity",
    "reported",
    "due_on",
    "outcome",
    "known",
    "x",
)


@given(
    rule=st.sampled_from([*RULES, "new.rule"]),
    kind=st.sampled_from(["raised", "revised", "escalated", "withdrawn", "resolved", "acknowledged", "shelved"]),
    summary=st.text(max_size=80),
    details=st.dictionaries(st.sampled_from(KEYS), ODD, max_size=6),
    patient=st.text(max_size=6),
)
def test_whatever_an_alert_holds_there_is_a_notice(
    rule: str, kind: str, summary: str, details: dict[str, object], patient: str
) -> None:
    first = raised(rule, summary=summary, details=details, patient=patient)
    notice = render(later(first, kind, details=details), QUIET)
    assert notice.title
    assert "\n" not in notice.title
    commands = re.compile(r"^(safety-monitor |TO ACK)")
    assert all(len(line) <= WIDTH or commands.match(line) for line in notice.body.splitlines() if " " in line.strip())


@pytest.mark.parametrize(("before", "lead"), [("high", "Open again: "), ("medium", "More urgent: ")])
def test_an_alert_that_comes_back_from_its_shelf_is_not_called_more_urgent(before: str, lead: str) -> None:
    shelved = raised(status="shelved", priority=before)
    assert render(later(shelved, "escalated", priority="high"), QUIET).title.startswith(f"[HIGH] {lead}Stop criterion")


def test_two_alerts_of_one_rule_have_two_subjects() -> None:
    one, other = (render(raised(alert_id=f"{letter}1b2c3d4e5f60718"), QUIET).title for letter in "ab")
    assert one != other


def test_what_changes_after_its_end_asks_for_no_acknowledgement() -> None:
    ended = raised(status="resolved", details={"outcome": "decision"})
    notice = render(later(ended, "revised", status="resolved", summary="Donor chimerism 84%"), QUIET)
    assert "ended before, and stays ended. A signed decision has lifted the stop." in " ".join(notice.body.split())
    assert "acknowledge" not in notice.body
