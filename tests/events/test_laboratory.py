"""Laboratory, MRD and chimerism: units by UCUM, exactly; codes by LOINC; values that can be."""

from decimal import Decimal
from typing import Any

import pytest

from monitor.events.envelope import Reason
from monitor.events.lab import Analyte
from monitor.events.loinc import MEASURED, is_slip
from tests.events.samples import fact, lab, refused, sample

CHIMERISM = "safety.chimerism.resulted.v1"
MRD = "safety.mrd.resulted.v1"


def read(*args: Any, **changes: Any) -> Any:
    return fact(lab(*args, **changes))


def reason(*args: Any, **changes: Any) -> Reason:
    return refused(lab(*args, **changes)).reason


@pytest.mark.parametrize(
    ("code", "value", "unit", "analyte", "quantity"),
    [
        ("751-8", "1200", "/uL", "neutrophils", "1.2"),
        ("26499-4", "1.2", "10*9/L", "neutrophils", "1.2"),
        ("26499-4", "1.2", "10*3/uL", "neutrophils", "1.2"),
        ("751-8", "499", "{cells}/uL", "neutrophils", "0.499"),
        ("777-3", "50", "10^9/L", "platelets", "50"),
        ("26515-7", "50000", "/mm3", "platelets", "50"),
        ("6690-2", "4.0", "10*6/mL", "wbc", "4.0"),
        ("26446-5", "0.05", "1", "blood_blasts", "5"),
        ("26446-5", "5", "/100{WBC}", "blood_blasts", "5"),
        ("1920-8", "2", "ukat/L", "ast", "120"),
        ("1742-6", "121", "U/L", "alt", "121"),
        ("1968-7", "0.4", "mg/dL", "direct_bilirubin", "0.4"),
        ("1968-7", "4", "mg/L", "direct_bilirubin", "0.4"),
        ("14629-0", "0.0068", "mmol/L", "direct_bilirubin", "6.8"),
        ("1975-2", "34", "mg/dL", "total_bilirubin", "34"),
        ("14631-6", "34", "umol/L", "total_bilirubin", "34"),
        ("2160-0", "0.9", "mg/dL", "creatinine", "0.9"),
        ("14682-9", "88.4", "umol/L", "creatinine", "88.4"),
        ("2164-2", "1.5", "mL/s", "creatinine_clearance", "90"),
        ("2164-2", "50", "mL/min", "creatinine_clearance", "50"),
    ],
)
def test_values_are_converted_exactly(code: str, value: str, unit: str, analyte: str, quantity: str) -> None:
    result = read(code, value, unit)
    assert result.analyte == Analyte(analyte)
    assert result.quantity == Decimal(quantity)
    assert result.value == Decimal(value)


def test_the_upper_limit_of_normal_is_converted_like_the_value() -> None:
    assert read("1920-8", "2", "ukat/L", ref_high="0.6").reference_high == Decimal(36)
    assert read("1920-8", "40", "U/L").reference_high is None
    assert read("1920-8", "40", "U/L", ref_high="see report").reference_high is None


@pytest.mark.parametrize(
    "unit", [..., None, "", "cells", "x10E9/L", "10*9 / L", "IU/L", [9], "10*99999999/L", "(" * 60]
)
def test_a_unit_that_is_not_there_or_not_ucum_is_unknown(unit: object) -> None:
    assert reason("751-8", "1.2", unit) is Reason.UNIT_UNKNOWN


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        ("751-8", "%"),
        ("751-8", "10*9"),
        ("751-8", "K/uL"),
        ("26446-5", "10*9/L"),
        ("1920-8", "[IU]/L"),
        ("1968-7", "umol/L"),
        ("14629-0", "mg/dL"),
        ("2160-0", "umol/L"),
        ("2164-2", "mL/min/{1.73_m2}"),
        ("2164-2", "mL/min/1.73.m2"),
        ("2164-2", "mL"),
        ("751-8", "[IU]/L"),
        ("751-8", "[CFU]/L"),
        ("751-8", "rad/L"),
        ("751-8", "%/L"),
        ("26446-5", "[arb'U]"),
        ("26446-5", "bit"),
    ],
)
def test_a_unit_of_something_else_does_not_fit(code: str, unit: str) -> None:
    assert reason(code, "1", unit) is Reason.UNIT_MISMATCH


@pytest.mark.parametrize(
    ("code", "unit", "highest"),
    [
        ("751-8", "10*9/L", "100"),
        ("777-3", "10*9/L", "3000"),
        ("6690-2", "10*9/L", "500"),
        ("26446-5", "%", "100"),
        ("1920-8", "U/L", "20000"),
        ("1742-6", "U/L", "20000"),
        ("14629-0", "umol/L", "1000"),
        ("14631-6", "umol/L", "1500"),
        ("14682-9", "umol/L", "2650"),
        ("2164-2", "mL/min", "300"),
    ],
)
def test_the_highest_plausible_value_is_taken_and_no_more(code: str, unit: str, highest: str) -> None:
    assert read(code, highest, unit).quantity == Decimal(highest)
    assert read(code, 0, unit).quantity == 0
    assert reason(code, f"{highest}.01", unit) is Reason.IMPLAUSIBLE
    assert reason(code, "-0.01", unit) is Reason.IMPLAUSIBLE


def test_a_value_in_mass_is_held_to_the_molar_range() -> None:
    assert read("2160-0", "29.9", "mg/dL").quantity == Decimal("29.9")
    assert reason("2160-0", "30", "mg/dL") is Reason.IMPLAUSIBLE


@pytest.mark.parametrize("value", ["high", None, True, ["1"], "<0.1", "NaN"])
def test_a_measured_value_is_a_number(value: object) -> None:
    assert reason("751-8", value, "10*9/L") is Reason.INVALID_DATA


def test_the_percentage_of_neutrophils_is_kept_and_never_a_count() -> None:
    result = read("770-8", "55", "%")
    assert (result.analyte, result.quantity, result.value) == (None, None, Decimal(55))


@pytest.mark.parametrize("value", ["trace", "<5", -4000, None, {"low": 1.50}, ["a"], True, "1e9"])
@pytest.mark.parametrize("unit", [..., "furlongs", "%", 3, ["x"]])
def test_a_code_that_no_rule_reads_is_kept_whatever_it_says(value: object, unit: object) -> None:
    assert read("2951-2", value, unit, comparator="~").analyte is None
    assert read("LOCAL-NA", value, unit).code == "LOCAL-NA"


@pytest.mark.parametrize("code", ["751-9", "777-8", "26499-8", "26949-4", "2649-4", "264499-4", "715-8", "737-3"])
def test_a_code_one_slip_from_one_that_the_rules_read_is_refused(code: str) -> None:
    assert reason(code, "1", "10*9/L") is Reason.INVALID_DATA


@pytest.mark.parametrize("code", ["2951-3", "99999-9", "11111-1", "718-7", "LOCAL-NA"])
def test_any_other_code_is_kept_and_measures_nothing_whatever_its_check_digit(code: str) -> None:
    assert read(code, "1", "10*9/L").analyte is None


@pytest.mark.parametrize("code", sorted(MEASURED))
def test_no_code_that_the_rules_read_is_a_slip_of_another(code: str) -> None:
    assert not is_slip(code)


@pytest.mark.parametrize(
    ("value", "positive"),
    [("Positive", True), ("detected", True), (1, True), ("negative", False), ("Not detected", False), ("0", False)],
)
def test_a_pregnancy_test_is_positive_or_negative(value: object, *, positive: bool) -> None:
    result = read("2118-8", value)
    assert (result.analyte, result.positive) == (Analyte.PREGNANCY, positive)
    assert reason("2118-8", "perhaps") is Reason.INVALID_DATA


def test_a_sender_cannot_say_what_we_work_out() -> None:
    result = read("770-8", "55", "%", quantity="0.2", analyte="neutrophils", positive=True)
    assert (result.quantity, result.analyte, result.positive) == (None, None, None)


@pytest.mark.parametrize(
    ("value", "unit", "percent"),
    [("97", "%", "97"), ("0.97", "1", "97"), ("89.96", "%", "89.96"), ("970", "[ppth]", "97"), (90.0, "%", "90")],
)
def test_chimerism_is_read_in_per_cent(value: object, unit: str, percent: str) -> None:
    event = fact(sample(CHIMERISM, donor_percent=value, unit=unit))
    assert event.donor_percent == Decimal(percent)


@pytest.mark.parametrize(
    ("value", "unit", "reason"),
    [
        ("0.97", ..., Reason.UNIT_UNKNOWN),
        ("97", "percent", Reason.UNIT_UNKNOWN),
        ("97", "{percent}", Reason.UNIT_UNKNOWN),
        ("97", "mg/dL", Reason.UNIT_MISMATCH),
        ("0.97", "[IU]", Reason.UNIT_MISMATCH),
        ("0.97", "rad", Reason.UNIT_MISMATCH),
        ("100.1", "%", Reason.IMPLAUSIBLE),
        ("97", "1", Reason.IMPLAUSIBLE),
        ("-1", "%", Reason.IMPLAUSIBLE),
        (None, "%", Reason.INVALID_DATA),
    ],
)
def test_a_percentage_is_never_guessed(value: object, unit: object, reason: Reason) -> None:
    assert refused(sample(CHIMERISM, donor_percent=value, unit=unit)).reason is reason


@pytest.mark.parametrize(
    ("assay", "value", "unit", "reason"),
    [
        ("flow", "100", "%", None),
        ("flow", "100.1", "%", Reason.IMPLAUSIBLE),
        ("ngs", "1.1", "1", Reason.IMPLAUSIBLE),
        ("qpcr", "250", "%", None),
        ("dpcr", "10000", "%", None),
        ("qpcr", "10001", "%", Reason.IMPLAUSIBLE),
        ("qpcr", "400", "{copies}/10*4{copies}", None),
        ("qpcr", "400000", "{copies}/mL", None),
        ("qpcr", "-1", "{copies}/mL", Reason.IMPLAUSIBLE),
        ("qpcr", "3.2", "log10", Reason.UNIT_UNKNOWN),
        ("qpcr", "0.01", None, None),
        ("fish", "0.01", "%", Reason.INVALID_DATA),
    ],
)
def test_mrd_keeps_its_unit_and_is_held_to_what_the_assay_can_give(
    assay: str, value: str, unit: str | None, reason: Reason | None
) -> None:
    event = sample(MRD, assay=assay, value=value, unit=unit)
    if reason:
        assert refused(event).reason is reason
    else:
        kept = fact(event)
        assert (kept.value, kept.unit) == (Decimal(value), unit or "%")


def test_undetected_mrd_has_no_value() -> None:
    assert fact(sample(MRD, value=..., detected=False)).value is None
    assert refused(sample(MRD, value=..., detected=...)).reason is Reason.INVALID_DATA
    assert fact(sample(MRD, value=..., detected=..., adequate=False))
