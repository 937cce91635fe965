"""The leukaemia comes back: residual disease, then blasts, then the end of treatment, and often the patient's death."""

from dataclasses import replace
from random import Random

from monitor.generate.course import Check, Course
from monitor.generate.forms import decision, died
from monitor.generate.trajectory import Trajectory


def tell(course: Course, rng: Random) -> Course:
    """From undetected to overt in three months; half of the patients die of it within the next half year."""
    turn = course.starts_on + rng.randint(70, 190)
    overt = turn + 90
    forms = [decision(overt + 2, "stop", "haematological relapse")]
    last_day = course.last_day
    if rng.random() < 0.5:
        death = overt + rng.randint(60, 180)
        forms.append(died(death))
        last_day = min(last_day, death + 1)
    return replace(
        course,
        last_day=last_day,
        flow=Trajectory(((turn, -3.0), (turn + 40, -0.8), (overt, 1.4))),
        qpcr=Trajectory(((turn - 14, -3.2), (turn + 40, -0.6), (overt, 1.5))),
        chimerism=Trajectory(((turn, 98.9), (turn + 40, 96.0), (overt, 71.0))),
        checks=((turn + 40, Check.MARROW), (overt, Check.MARROW)),
        pauses=((overt + 3, None),),
        forms=tuple(forms),
        ended=True,
    )
