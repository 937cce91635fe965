"""Septic shock: life-threatening, and a stop for good."""

from dataclasses import replace
from random import Random

from monitor.generate.course import Course
from monitor.generate.forms import adverse_event, decision


def tell(course: Course, rng: Random) -> Course:
    """Grade 4 in a nadir; the stop is signed on the next day."""
    day = course.starts_on + 28 * rng.randint(1, 4) + rng.randint(11, 16)
    return replace(
        course,
        pauses=((day + 1, None),),
        forms=(
            adverse_event(day, "sepsis", 4, life_threatening=True, serious=True, infection=True, related=True),
            decision(day + 1, "stop", "life-threatening complication"),
        ),
        ended=True,
    )
