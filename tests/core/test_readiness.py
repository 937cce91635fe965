"""The readiness list of an open restart window: pass, fail, stale or missing, and no more than advice."""

from typing import Any

import pytest

from tests.core.charts import Chart, acute, azacitidine, chronic, enrolled, marrow, message

OPEN = 135  # the stop on D+100, remission and no chronic GVHD on D+125: open from D+130
LABS = {
    "neutrophils": ("751-8", "10*9/L", "1.0", "0.9"),
    "platelets": ("777-3", "10*9/L", "50", "49"),
    "ast": ("1920-8", "U/L", "120", "121"),
    "alt": ("1742-6", "U/L", "120", "121"),
    "direct_bilirubin": ("14629-0", "umol/L", "120", "121"),
    "creatinine": ("14682-9", "umol/L", "60", "61"),
    "creatinine_clearance": ("2164-2", "mL/min", "50", "49"),
}


def lab(item: str, value: str, day: float, **more: Any) -> bytes:
    code, unit, *_ = LABS[item]
    limit = {"ref_high": "40"} if item not in ("neutrophils", "platelets", "creatinine_clearance") else {}
    return message("lab.resulted", f"{item}-{day}", day, code=code, unit=unit, value=value, **{**limit, **more})


def readiness(*messages: bytes, until: float = OPEN, **form: Any) -> dict[str, str]:
    course = [
        enrolled(85, **form),
        azacitidine(95),
        acute(100, skin=3),
        acute(125, skin=0, systemic_steroids=False),
        chronic(125),
    ]
    window = Chart([*course, *messages], until).window
    assert window["state"] == "open"
    return dict(window["readiness"])


def test_the_list_names_these_items_and_no_others() -> None:
    assert set(readiness()) == {
        *LABS,
        "infection",
        "pregnancy",
        "chimerism",
        "relapse",
        "acute_gvhd",
        "chronic_gvhd",
        "steroids",
    }


@pytest.mark.parametrize("item", LABS)
def test_a_laboratory_item_passes_at_its_limit_fails_beyond_it_and_is_missing_without_a_result(item: str) -> None:
    *_, passes, fails = LABS[item]
    assert readiness()[item] == "missing"
    assert readiness(lab(item, passes, 134))[item] == "pass"
    assert readiness(lab(item, fails, 134))[item] == "fail"


@pytest.mark.parametrize("item", ["ast", "alt", "direct_bilirubin", "creatinine"])
def test_without_an_upper_limit_an_item_is_missing(item: str) -> None:
    assert readiness(lab(item, "10", 134, ref_high=None))[item] == "missing"


@pytest.mark.parametrize("item", LABS)
def test_a_laboratory_item_is_stale_when_older_than_seven_days(item: str) -> None:
    *_, passes, _ = LABS[item]
    assert readiness(lab(item, passes, OPEN - 7))[item] == "pass"
    assert readiness(lab(item, passes, OPEN - 8))[item] == "stale"


def test_marrow_chimerism_below_the_stop_limit_would_have_closed_the_window() -> None:
    assert readiness(marrow(134, "90"))["chimerism"] == "pass"
    assert readiness(marrow(134, "89", lineage="cd3"))["chimerism"] == "missing"


@pytest.mark.parametrize(("age", "said"), [(60, "pass"), (61, "stale")])
def test_marrow_and_disease_are_stale_when_older_than_60_days(age: int, said: str) -> None:
    items = readiness(marrow(OPEN - age, "95"), message("disease.assessed", "d", OPEN - age, relapse=False))
    assert (items["chimerism"], items["relapse"]) == (said, said)


@pytest.mark.parametrize(("until", "said"), [(139, "pass"), (140, "stale")])
def test_gvhd_is_stale_when_older_than_14_days(until: float, said: str) -> None:
    items = readiness(until=until)
    assert (items["acute_gvhd"], items["chronic_gvhd"]) == (said, said)


@pytest.mark.parametrize(("value", "said"), [("positive", "fail"), ("negative", "pass")])
def test_pregnancy_is_by_a_test_of_the_last_seven_days(value: str, said: str) -> None:
    assert readiness(message("lab.resulted", "hcg", 130, code="2118-8", value=value))["pregnancy"] == said
    assert readiness(message("lab.resulted", "hcg", 127, code="2118-8", value=value))["pregnancy"] == "stale"
    assert readiness(sex="male")["pregnancy"] == "not_applicable"
    assert readiness()["pregnancy"] == "missing"


def test_an_infection_lasts_until_it_is_resolved_however_old() -> None:
    infection: dict[str, Any] = {"term": "pneumonia", "infection": True, "ctcae_grade": 3}
    assert readiness(message("adverse-event.reported", "ae", 90, **infection))["infection"] == "fail"
    over = message("adverse-event.reported", "ae", 90, **infection, outcome="resolved", version=2, issued=130)
    assert readiness(message("adverse-event.reported", "ae", 90, **infection), over)["infection"] == "pass"
    assert readiness()["infection"] == "pass"


def drug(day: float) -> bytes:
    return message("medication.given", f"drug-{day}", day, name="prednisone", systemic_corticosteroid=True)


def test_steroids_are_known_by_the_assessment_that_says_and_by_what_was_given() -> None:
    assert readiness(acute(130, skin=0, systemic_steroids=False))["steroids"] == "pass"
    assert readiness(acute(130, skin=0, systemic_steroids=True))["steroids"] == "fail"
    assert readiness(drug(OPEN - 7))["steroids"] == "fail"


def test_steroids_given_since_the_last_word_on_them_are_not_over_because_nobody_spoke() -> None:
    assert readiness(drug(126))["steroids"] == "stale"
    assert readiness(drug(124), until=132)["steroids"] == "pass"


@pytest.mark.parametrize(("until", "said"), [(132, "pass"), (133, "stale")])
def test_a_word_on_steroids_is_stale_after_seven_days_though_the_assessment_that_says_it_is_not(
    until: float, said: str
) -> None:
    items = readiness(until=until)
    assert (items["steroids"], items["acute_gvhd"]) == (said, "pass")


def test_the_list_grows_stale_with_time_alone() -> None:
    """No event comes: the tick of the day it is too old makes the difference."""
    assert readiness(lab("platelets", "60", 130), until=137.6)["platelets"] == "pass"
    assert readiness(lab("platelets", "60", 130), until=137.7)["platelets"] == "stale"


def test_a_failing_item_does_not_close_the_window() -> None:
    assert readiness(lab("platelets", "5", 134))["platelets"] == "fail"  # and the window is open, as asserted above
