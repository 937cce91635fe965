"""Doses given wrongly: too much, too early, on too few days, or without what must come before them."""

from dataclasses import replace
from random import Random
from typing import Any

from monitor.generate.course import Course, Errors


def tell(course: Course, rng: Random) -> Course:
    """Two of the usual mistakes in one course."""
    cycle = rng.randint(2, 4)
    mistakes: tuple[dict[str, Any], ...] = (
        {"azacitidine_dose": {cycle: "40"}},
        {"missed_days": frozenset({(cycle, 4)})},
        {"cycle_length": {cycle: 24}},
        {"cycle_length": {cycle: 46}},
        {"dli_dose": {rng.randint(2, 3): "5000000"}},
        {"dli_offset": {rng.randint(1, 3): 5}},
        {"unpremedicated": frozenset({rng.randint(1, 3)})},
    )
    first, second = rng.sample(mistakes, 2)
    return replace(course, errors=Errors(**(first | second)))
