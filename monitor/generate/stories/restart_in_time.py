"""Acute graft-versus-host disease goes into remission, and treatment is taken up again while the window is open."""

from random import Random

from monitor.generate.course import Course
from monitor.generate.stories.acute_gvhd import Episode, onset, suffer


def tell(course: Course, rng: Random) -> Course:
    """Restart between day 33 and day 56 after the signed stop."""
    begins = onset(course, rng)
    stopped = begins + 1
    return suffer(course, rng, Episode(begins, stopped, begins + rng.randint(14, 24), stopped + rng.randint(33, 56)))
