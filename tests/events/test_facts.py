"""Facts: liberal where a lost fact would hurt a patient, strict where a wrong reading would."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from monitor.events.envelope import Reason
from monitor.events.gvhd import AcuteGvhdAssessed
from monitor.events.record import RecordBlock, Status
from tests.events.samples import fact, received, refused, sample

ACUTE = "safety.gvhd.acute-assessed.v1"
CHRONIC = "safety.gvhd.chronic-assessed.v1"
EVENT = "safety.adverse-event.reported.v1"
DLI = "safety.dli.infused.v1"
AZA = "safety.azacitidine.given.v1"
DECIDED = "safety.treatment.decided.v1"
CHIMERISM = "safety.chimerism.resulted.v1"


def read(name: str, **changes: Any) -> Any:
    return fact(sample(name, **changes))


def reason(name: str, **changes: Any) -> Reason:
    return refused(sample(name, **changes)).reason


@pytest.mark.parametrize("status", ["amended", "corrected", "cancelled", "entered-in-error"])
def test_a_change_needs_its_reason(status: str) -> None:
    assert reason(EVENT, status=status) is Reason.MISSING_REASON
    assert reason(EVENT, status=status, reason="  ") is Reason.MISSING_REASON
    assert read(EVENT, status=status, reason="typing error").status == status


def test_a_status_left_out_or_null_is_final() -> None:
    assert read(EVENT, status=...).status is Status.FINAL
    assert read(EVENT, status=None).status is Status.FINAL
    assert reason(EVENT, status="unknown") is Reason.INVALID_DATA


def test_absent_and_null_are_one() -> None:
    assert received(sample(EVENT, related=None, new=None)).content == received(sample(EVENT, related=...)).content


@pytest.mark.parametrize("version", [0, -1, "1.5", True, "x", None, ...])
def test_a_record_version_counts_from_one(version: object) -> None:
    assert reason(EVENT, record_version=version) is Reason.INVALID_DATA


@pytest.mark.parametrize(
    "moment", ["2025-06-12T09:00:00", "2025-06-32", "12.06.2025", 1749690000, "20250612", "", None, "0001-01-01"]
)
def test_a_time_that_must_be_guessed_is_invalid(moment: object) -> None:
    assert reason(EVENT, effective_at=moment) is Reason.INVALID_DATA


def test_effective_at_is_a_day_or_an_instant_in_utc() -> None:
    assert read(EVENT, effective_at="2025-06-12").effective_at == date(2025, 6, 12)
    assert type(read(EVENT, effective_at="2025-06-12").effective_at) is date
    instant = read(EVENT, effective_at="2025-06-12T09:00:00+08:00").effective_at
    assert instant == datetime(2025, 6, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("time", "effective_at", "ahead"),
    [
        ("2025-06-12T03:00:00Z", "2025-06-12T03:10:00Z", False),
        ("2025-06-12T03:00:00Z", "2025-06-12T03:10:01Z", True),
        ("2025-06-12T15:49:59Z", "2025-06-13", True),  # 23:49:59 in Shanghai
        ("2025-06-12T15:50:00Z", "2025-06-13", False),  # ten minutes before midnight there
        ("2025-06-12T16:30:00Z", "2025-06-13", False),  # already the 13th there
        ("2025-06-12T16:30:00Z", "2025-06-14", True),
    ],
)
def test_more_than_ten_minutes_ahead_is_the_future(time: str, effective_at: str, *, ahead: bool) -> None:
    event = {**sample(EVENT, effective_at=effective_at), "time": time}
    if ahead:
        assert refused(event).reason is Reason.FUTURE
    else:
        assert received(event).data


@pytest.mark.parametrize("flag", [1, 0, "true", "yes", "false", []])
def test_a_boolean_is_true_or_false_and_nothing_else(flag: object) -> None:
    assert reason(EVENT, life_threatening=flag) is Reason.INVALID_DATA


@pytest.mark.parametrize("grade", [0, 6, -1, "4.5", "severe", True])
def test_a_ctcae_grade_out_of_its_scale_is_invalid(grade: object) -> None:
    assert reason(EVENT, ctcae_grade=grade) is Reason.INVALID_DATA


@pytest.mark.parametrize(("sent", "grade"), [("0", 0), ("I", 1), ("ii", 2), ("III", 3), ("IV", 4), (2, 2), ("2", 2)])
def test_a_reported_grade_may_be_roman(sent: object, grade: int) -> None:
    assert read(ACUTE, reported_grade=sent).reported_grade == grade


@pytest.mark.parametrize("grade", ["V", 5, -1, "IIII", 1.5, True])
def test_a_reported_grade_out_of_its_scale_is_invalid(grade: object) -> None:
    assert reason(ACUTE, reported_grade=grade) is Reason.INVALID_DATA


@pytest.mark.parametrize(("organ", "stage"), [("skin", 5), ("liver", -1), ("upper_gi", 2), ("lower_gi", 5)])
def test_a_stage_out_of_its_scale_is_invalid(organ: str, stage: int) -> None:
    assert reason(ACUTE, stages={organ: stage}) is Reason.INVALID_DATA


def test_an_organ_not_assessed_is_not_zero() -> None:
    assessed = read(ACUTE, stages={"skin": 0, "liver": None})
    assert (assessed.stages.skin, assessed.stages.liver, assessed.stages.lower_gi) == (0, None, None)


def test_acute_gvhd_ruled_out_needs_no_stages() -> None:
    nothing: dict[str, Any] = {"stages": ..., "findings": ..., "reported_grade": ...}
    assert isinstance(read(ACUTE, confidence="negative", **nothing), AcuteGvhdAssessed)
    assert reason(ACUTE, confidence="confirmed", **nothing) is Reason.INVALID_DATA


@pytest.mark.parametrize("scores", [{"lungs": 3}, {"lung": 4}, {"lung": "mild"}, {"lung": True}])
def test_an_organ_or_score_that_nih_does_not_know_is_invalid(scores: dict[str, object]) -> None:
    assert reason(CHRONIC, organ_scores=scores) is Reason.INVALID_DATA


def test_an_infusion_of_unknown_dose_is_still_an_infusion() -> None:
    given = read(DLI, cd3_per_kg=..., number=..., premedication=...)
    assert (given.cd3_per_kg, given.premedication) == (None, None)
    assert read(DLI, premedication=[]).premedication == ()
    assert read(DLI).premedication[0].drug_class == "antihistamine"
    assert read(DLI).cd3_per_kg == Decimal(100_000)


def test_a_dose_day_of_unknown_cycle_is_still_a_dose() -> None:
    assert read(AZA, cycle=..., day=..., dose_mg_m2=...).dose_mg_m2 is None


@pytest.mark.parametrize("dose", [-32, 0, "thirty-two", True])
def test_a_dose_is_above_nothing(dose: object) -> None:
    assert reason(AZA, dose_mg_m2=dose) is Reason.INVALID_DATA


def test_a_blank_signature_signs_nothing() -> None:
    assert read(DECIDED, signed_by="  ").signed_by is None


def test_an_adverse_event_without_its_name_is_kept() -> None:
    assert read(EVENT, term=...).ctcae_grade == 4


def test_a_report_that_says_nothing_is_invalid() -> None:
    assert reason("safety.graft.assessed.v1", rejection=..., failure=None) is Reason.INVALID_DATA


def test_a_retraction_is_not_judged_for_what_it_takes_back() -> None:
    taken_back = {"status": "entered-in-error", "reason": "wrong patient"}
    assert read(CHIMERISM, **taken_back, unit=...).retracted
    assert read(CHIMERISM, **taken_back, donor_percent="970").retracted
    bare = read(CHIMERISM, **taken_back, donor_percent=..., unit=...)
    assert type(bare) is RecordBlock
    assert (bare.record_id, bare.status) == ("rec-1", Status.ENTERED_IN_ERROR)


def test_a_retraction_of_no_record_is_invalid() -> None:
    assert reason(CHIMERISM, status="cancelled", reason="no sample", record_id=...) is Reason.INVALID_DATA


def test_a_retraction_without_its_reason_is_refused_for_that() -> None:
    assert reason(CHIMERISM, status="cancelled", donor_percent=...) is Reason.MISSING_REASON


def test_a_command_names_its_alert_and_its_actor() -> None:
    assert fact(sample("safety.alert.shelved.v1")).until == datetime(2025, 6, 13, 1, tzinfo=UTC)
    for field in ("alert_id", "actor", "until"):
        assert reason("safety.alert.shelved.v1", **{field: ...}) is Reason.INVALID_DATA
    assert fact(sample("safety.alert.resolved.v1", note=...))


def test_enrolment_without_the_day_of_transplant_is_invalid() -> None:
    assert reason("safety.patient.enrolled.v1", hct_date=...) is Reason.INVALID_DATA
    assert read("safety.patient.enrolled.v1", birth_year=..., ecog=...).birth_year is None


def test_what_cannot_be_true_of_a_patient_is_implausible() -> None:
    assert reason("safety.disease.assessed.v1", marrow_blast_percent="101") is Reason.IMPLAUSIBLE
    assert reason("safety.disease.assessed.v1", blood_blast_percent=-1) is Reason.IMPLAUSIBLE
    assert reason(ACUTE, findings={"skin_bsa_percent": 120}) is Reason.IMPLAUSIBLE
    assert reason(ACUTE, findings={"total_bilirubin_mg_dl": 120}) is Reason.IMPLAUSIBLE


def test_the_detail_says_where_and_what_to_do_and_names_no_patient() -> None:
    detail = refused(sample(EVENT, ctcae_grade=9)).detail
    assert "data.ctcae_grade" in detail
    assert "record_version" in detail
    assert "SH-017" not in detail
