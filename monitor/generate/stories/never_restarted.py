"""Acute graft-versus-host disease that takes its time: the window passes, and treatment is given up."""

from dataclasses import replace
from random import Random

from monitor.generate.course import Course
from monitor.generate.forms import decision
from monitor.generate.stories.acute_gvhd import Episode, onset, suffer


def tell(course: Course, rng: Random) -> Course:
    """No restart; three months after the stop the patient is withdrawn from study treatment."""
    begins = onset(course, rng)
    told = suffer(course, rng, Episode(begins, begins + 1, begins + rng.randint(35, 70), None))
    return replace(told, forms=(*told.forms, decision(begins + 92, "withdraw", "not resumed after acute GVHD")))
