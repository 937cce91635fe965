"""A quantity that moves through a patient's course: knots in days after transplant, straight lines between."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trajectory:
    """Knots (day after transplant, value), sorted by day; before the first and after the last the value holds."""

    knots: tuple[tuple[int, float], ...]

    def at(self, day: int) -> float:
        """The value on that day, in the knots' unit."""
        first_day, first = self.knots[0]
        if day <= first_day:
            return first
        for (left_day, left), (right_day, right) in zip(self.knots, self.knots[1:], strict=False):
            if day <= right_day:
                return left + (right - left) * (day - left_day) / (right_day - left_day)
        return self.knots[-1][1]
