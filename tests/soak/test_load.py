"""The load of a soak is the same at its end as at its beginning."""

from collections import Counter
from itertools import islice

import pytest

from tests.soak.load import Ward, endless


def sent(ward: Ward) -> list[tuple[str, str]]:
    return [(topic, patient) for topic, patient, _ in islice(endless(ward, seed=1), ward.messages)]


def test_so_many_patients_come_and_each_has_about_as_many_results() -> None:
    ward = Ward(patients=1_000, active=100, messages=6_000)
    enrolled = [patient for topic, patient in sent(ward) if topic == "safety.patient"]
    assert len(enrolled) == len(set(enrolled)) == pytest.approx(1_000, rel=0.1)
    results = Counter(patient for topic, patient in sent(ward) if topic == "safety.lab")
    early, late = (sum(results[each] for each in some) / len(some) for some in (enrolled[200:500], enrolled[500:800]))
    assert early == pytest.approx(late, rel=0.2)
    assert ward.settled == pytest.approx(756, rel=0.01)


def test_where_all_are_active_none_leaves() -> None:
    ward = Ward(patients=50, active=50, messages=500)
    assert [topic for topic, _ in sent(ward)].count("safety.patient") == 50
    assert ward.settled == 50
