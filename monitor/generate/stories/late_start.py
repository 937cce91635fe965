"""Treatment begins inside one start window of the trial record and outside the other, or before either."""

from dataclasses import replace
from random import Random

from monitor.generate.course import Course


def tell(course: Course, rng: Random) -> Course:
    """Begin between day 122 and day 150; one in four on day 89."""
    return replace(course, starts_on=89 if rng.random() < 0.25 else rng.randint(122, 150))
