"""A serious, unexpected reaction to the treatment: it starts a reporting clock."""

from dataclasses import replace
from random import Random

from monitor.generate.course import Course
from monitor.generate.forms import adverse_event


def tell(course: Course, rng: Random) -> Course:
    """Grade 3, serious, related and unexpected, resolved some weeks later."""
    day = course.starts_on + rng.randint(15, 120)
    term = rng.choice(("pericarditis", "posterior reversible encephalopathy syndrome", "pneumonitis"))
    return replace(course, forms=(adverse_event(day, term, 3, serious=True, related=True, expected=False),))
