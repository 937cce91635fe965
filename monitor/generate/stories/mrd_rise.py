"""A transcript that was low all along climbs by more than one log; sometimes the next sample does not confirm it."""

from dataclasses import replace
from random import Random

from monitor.generate.course import Check, Course
from monitor.generate.trajectory import Trajectory


def tell(course: Course, rng: Random) -> Course:
    """Rise from a quantified low level; a third is an outlier, a third is never repeated in time."""
    turn = course.starts_on + rng.randint(50, 160)
    low = rng.uniform(-2.4, -2.1)  # 0.004 to 0.008 %, above the limit of quantification
    high = low + rng.uniform(1.15, 1.7)
    confirmed, repeated = rng.random() < 0.66, rng.random() < 0.66
    after = high + 0.2 if confirmed else low
    checks = ((turn, Check.QPCR), (turn + 24, Check.QPCR)) if repeated else ((turn, Check.QPCR),)
    return replace(
        course,
        qpcr=Trajectory(((0, low), (turn - 14, low), (turn, high), (turn + 24, after), (turn + 150, low))),
        checks=checks,
    )
