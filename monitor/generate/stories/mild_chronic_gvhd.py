"""Mild chronic graft-versus-host disease: watched, not stopped for."""

from dataclasses import replace
from random import Random

from monitor.generate.course import Check, Course, Flare


def tell(course: Course, rng: Random) -> Course:
    """One or two organs at score 1 for some months."""
    begins = course.starts_on + rng.randint(70, 200)
    organs = rng.choice(({"mouth": 1}, {"eyes": 1, "mouth": 1}, {"skin": 1}))
    return replace(
        course, chronic=(Flare(begins, begins + rng.randint(60, 140), organs),), checks=((begins, Check.CHRONIC),)
    )
