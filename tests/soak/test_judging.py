"""When the soak says that memory grows."""

import pytest

from tests.soak.judging import LIMIT, Sample, memory_of


def samples(*sizes: float) -> list[Sample]:
    return [Sample(at=10.0 * n, resident=round(size * 1e6), sent=n, recorded=n) for n, size in enumerate(sizes)]


def test_a_rise_during_the_warm_up_is_no_growth() -> None:
    memory = memory_of(samples(50, 120, 180, 200, 201, 199, 200, 201), warm_at=30)
    assert memory.flat
    assert abs(memory.drift) < 0.01


def test_a_slow_leak_is_found() -> None:
    leak = memory_of(samples(*(200 + 3 * n for n in range(10))), warm_at=0)
    assert not leak.flat
    assert leak.slope == pytest.approx(0.3e6)


def test_a_peak_counts_whenever_it_was() -> None:
    assert not memory_of(samples(LIMIT / 1e6 + 1, 100, 100, 100), warm_at=10).small


def test_too_short_a_run_says_nothing() -> None:
    with pytest.raises(ValueError, match="longer"):
        memory_of(samples(1, 2, 3), warm_at=20)
