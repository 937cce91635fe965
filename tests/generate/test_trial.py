import json
from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.events.codec import decode
from monitor.events.envelope import Received, Refused
from monitor.generate.trial import Trial, generate_trial

SITE = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def trial() -> Trial:
    return generate_trial(patients=51, seed=7)


@settings(max_examples=15, deadline=None)
@given(patients=st.integers(1, 4), seed=st.integers(0, 2**32), days=st.integers(1, 900))
def test_the_same_seed_gives_the_same_bytes(patients: int, seed: int, days: int) -> None:
    assert generate_trial(patients, seed, days).text() == generate_trial(patients, seed, days).text()


def test_another_seed_gives_another_trial() -> None:
    assert generate_trial(2, 1).text() != generate_trial(2, 2).text()


@settings(max_examples=15, deadline=None)
@given(patients=st.integers(1, 4), seed=st.integers(0, 2**32))
def test_every_line_is_sound_or_refused_for_the_reason_it_was_broken_for(patients: int, seed: int) -> None:
    for line in generate_trial(patients, seed).lines:
        decoded = decode(line.text.encode(), site_timezone=SITE)
        if line.broken is None:
            assert isinstance(decoded, Received), (line.text, decoded)
        else:
            assert isinstance(decoded, Refused), line.text
            assert decoded.reason == line.broken, (line.text, decoded.detail)


def test_lines_come_in_order_of_time(trial: Trial) -> None:
    sound = [json.loads(line.text)["time"] for line in trial.lines if line.broken is None]

    assert sound == sorted(sound)


def test_a_trial_of_51_has_something_of_everything(trial: Trial) -> None:
    sound = [json.loads(line.text) for line in trial.lines if line.broken is None]
    types = Counter(event["type"] for event in sound)
    per_patient = Counter(event["subject"] for event in sound)
    twice = Counter(line.text for line in trial.lines if line.broken is None)

    assert len(per_patient) == 51
    assert 150 <= len(sound) / 51 <= 250
    assert sum(trial.broken.values()) >= 40
    assert {"malformed_json", "unit_unknown", "unit_mismatch", "implausible", "future"} <= trial.broken.keys()
    assert sum(count - 1 for count in twice.values()) >= 50
    assert types["safety.patient.enrolled.v1"] >= 51
    assert {status for event in sound if (status := event["data"]["status"])} == {
        "final",
        "preliminary",
        "corrected",
        "entered-in-error",
    }
    decisions = Counter(e["data"]["decision"] for e in sound if e["type"] == "safety.treatment.decided.v1")
    assert {"stop", "restart", "continue", "complete"} <= decisions.keys()


def test_a_corrected_result_keeps_its_record_and_raises_its_version(trial: Trial) -> None:
    versions: dict[str, list[int]] = {}
    for line in trial.lines:
        if line.broken is None:
            data = json.loads(line.text)["data"]
            known = versions.setdefault(data["record_id"], [])
            if data["record_version"] not in known:
                known.append(data["record_version"])

    revised = [found for found in versions.values() if len(found) > 1]
    assert revised
    assert all(sorted(found) == list(range(1, len(found) + 1)) for found in versions.values())


def test_enrolment_is_about_85_days_after_transplant(trial: Trial) -> None:
    for line in trial.lines:
        if line.broken is None and '"safety.patient.enrolled.v1"' in line.text:
            event = json.loads(line.text)
            transplant = datetime.fromisoformat(event["data"]["hct_date"]).date()
            enrolled = datetime.fromisoformat(event["data"]["effective_at"]).date()
            assert 80 <= (enrolled - transplant).days <= 88
