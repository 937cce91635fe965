"""Residual disease, undetected until now, is found by flow and by qPCR; it is treated and goes away again, or stays."""

from dataclasses import replace
from random import Random

from monitor.generate.course import Check, Course, Form
from monitor.generate.trajectory import Trajectory


def tell(course: Course, rng: Random) -> Course:
    """Convert some months into treatment; another drug is added, and in two of three the disease goes."""
    turn = course.starts_on + rng.randint(60, 150)
    peak = rng.uniform(-0.7, -0.2)  # 0.2 to 0.6 %
    goes = rng.random() < 0.66
    after = -3.0 if goes else peak
    drug = {"name": "venetoclax", "systemic_corticosteroid": False, "intensification": True}
    return replace(
        course,
        flow=Trajectory(((turn - 30, -3.0), (turn, peak), (turn + 60, peak), (turn + 110, after))),
        qpcr=Trajectory(((turn - 40, -3.3), (turn, peak - 0.6), (turn + 60, peak - 0.6), (turn + 110, after - 0.3))),
        checks=((turn, Check.MARROW), (turn + 21, Check.QPCR), (turn + 100, Check.MARROW), (turn + 128, Check.MARROW)),
        forms=(Form(turn + 8, "medication.given", drug),),
    )
