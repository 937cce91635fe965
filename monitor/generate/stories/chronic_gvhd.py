"""Moderate or severe chronic graft-versus-host disease: the end of treatment."""

from dataclasses import replace
from random import Random
from typing import Final

from monitor.generate.course import Check, Course, Flare
from monitor.generate.forms import decision

ORGANS: Final = (
    {"skin": 2, "mouth": 1},  # moderate
    {"mouth": 1, "eyes": 1, "skin": 1},  # moderate
    {"lung": 1},  # moderate
    {"skin": 3},  # severe
    {"lung": 2, "eyes": 1},  # severe
)


def tell(course: Course, rng: Random) -> Course:
    """Begin some months into treatment; the stop is signed within two days."""
    begins = course.starts_on + rng.randint(60, 170)
    stopped = begins + rng.randint(0, 2)
    return replace(
        course,
        chronic=(Flare(begins, begins + rng.randint(150, 260), rng.choice(ORGANS)),),
        pauses=((stopped + 1, None),),
        checks=((begins, Check.CHRONIC),),
        forms=(decision(stopped, "stop", "chronic GVHD"),),
        ended=True,
    )
