"""What bounds the memory of the recorder: the patients it keeps, the facts they have, and a sweep over very many."""

import pytest

from monitor.core.patient import Patient
from monitor.recorder import planning
from monitor.recorder.cache import PatientCache
from monitor.recorder.known import Known
from tests.engine.bench import PROTOCOL, Bench
from tests.engine.wire import START, enrolment, platelets


def known(facts: int) -> Known:
    return Known(Patient.new("SH-001", PROTOCOL), facts, 0)


class TestThePatientsInMemory:
    def test_those_used_longest_ago_go_when_there_are_too_many(self) -> None:
        cache = PatientCache(patients=2, facts=1_000)
        for name in ("a", "b"):
            cache.put(name, known(1))
        cache.get("a")
        cache.put("c", known(1))
        assert [name for name in ("a", "b", "c") if cache.get(name)] == ["a", "c"]

    def test_and_when_they_have_too_many_facts_however_few_they_are(self) -> None:
        cache = PatientCache(patients=1_000, facts=100)
        for name in ("a", "b", "c"):
            cache.put(name, known(40))
        assert [name for name in ("a", "b", "c") if cache.get(name)] == ["b", "c"]
        assert cache.facts == 80

    def test_a_history_larger_than_all_that_may_be_kept_is_kept_alone(self) -> None:
        cache = PatientCache(patients=1_000, facts=100)
        cache.put("a", known(1))
        cache.put("huge", known(5_000))
        assert cache.get("huge") is not None
        assert cache.get("a") is None

    def test_one_goes_before_another_is_folded_and_no_more_than_one(self) -> None:
        cache = PatientCache(patients=2, facts=1_000)
        cache.make_room()
        for name in ("a", "b"):
            cache.put(name, known(1))
        cache.make_room()
        assert cache.facts == 1
        cache.put("c", known(1))
        assert [name for name in ("a", "b", "c") if cache.get(name)] == ["b", "c"]

    def test_what_is_put_again_or_forgotten_is_counted_once(self) -> None:
        cache = PatientCache(patients=10, facts=100)
        cache.put("a", known(30))
        cache.put("a", known(31))
        assert cache.facts == 31
        cache.forget("a")
        cache.forget("a")
        assert cache.facts == 0


async def test_a_sweep_over_more_patients_than_it_keeps_decides_for_all_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(planning, "SWEPT_IN_MEMORY", 2)
    bench = Bench(events_clock=True)
    recorder = await bench.start()
    names = [f"SH-{number:03}" for number in range(6)]
    for name in names:
        await recorder.record(bench.sent("safety.patient", enrolment(name)))

    await bench.tell_time(recorder, START.replace(year=2026))
    await recorder.record(bench.sent("safety.lab", platelets(names[0], 1)))

    assert {row.patient for row in await bench.log.alerts()} == set(names)
    assert await bench.whole()
