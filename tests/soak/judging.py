"""Whether memory stayed flat: a line through the samples after the warm-up, by least squares. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

MB = 1_000_000
LIMIT = 512 * 1_048_576  # bytes: what the defaults must hold in
DRIFT = 0.05  # of the mean over the whole span after the warm-up: less cannot be told from the allocator's whims


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: seconds since the start, resident bytes, messages sent and recorded."""

    at: float
    resident: int
    sent: int
    recorded: int

    @property
    def lag(self) -> int:
        return self.sent - self.recorded


@dataclass(frozen=True, slots=True)
class Memory:
    """What the samples after the warm-up say."""

    peak: int
    mean: float
    slope: float  # bytes a second
    span: float  # seconds

    @property
    def drift(self) -> float:
        """Growth over the span, as a share of the mean."""
        return self.slope * self.span / self.mean

    @property
    def flat(self) -> bool:
        return self.drift <= DRIFT

    @property
    def small(self) -> bool:
        return self.peak < LIMIT


def memory_of(samples: Sequence[Sample], warm_at: float) -> Memory:
    """The peak of all samples, and the line through those from `warm_at` on. Raises ValueError for fewer than three."""
    warm = [sample for sample in samples if sample.at >= warm_at]
    if len(warm) < 3:
        raise ValueError("too few samples after the warm-up: let it run longer")
    times, sizes = [sample.at for sample in warm], [float(sample.resident) for sample in warm]
    mean_at, mean = sum(times) / len(times), sum(sizes) / len(sizes)
    spread = sum((at - mean_at) ** 2 for at in times)
    slope = sum((at - mean_at) * (size - mean) for at, size in zip(times, sizes, strict=True)) / spread
    return Memory(max(sample.resident for sample in samples), mean, slope, times[-1] - times[0])
