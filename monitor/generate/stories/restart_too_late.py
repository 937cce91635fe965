"""Remission comes in time, the decision does not: treatment is taken up after the window has closed."""

from random import Random

from monitor.generate.course import Course
from monitor.generate.stories.acute_gvhd import Episode, onset, suffer


def tell(course: Course, rng: Random) -> Course:
    """Restart between day 64 and day 80 after the signed stop."""
    begins = onset(course, rng)
    stopped = begins + 1
    return suffer(course, rng, Episode(begins, stopped, begins + rng.randint(18, 30), stopped + rng.randint(64, 80)))
