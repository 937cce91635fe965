"""The graft loses ground: donor chimerism falls, first below its best, then below ninety per cent."""

from dataclasses import replace
from random import Random

from monitor.generate.course import Check, Course
from monitor.generate.forms import decision
from monitor.generate.trajectory import Trajectory


def tell(course: Course, rng: Random) -> Course:
    """Fall over three months; the stop is signed when the result is known."""
    turn = course.starts_on + rng.randint(50, 140)
    low = rng.uniform(81, 87.5)
    known = turn + 90 + 4
    return replace(
        course,
        chimerism=Trajectory(((0, 99.0), (turn, 98.5), (turn + 45, 92.6), (turn + 90, low))),
        checks=((turn + 45, Check.CHIMERISM), (turn + 90, Check.CHIMERISM)),
        pauses=((known + 1, None),),
        forms=(decision(known, "stop", "bone marrow donor chimerism below 90 %"),),
        ended=True,
    )
