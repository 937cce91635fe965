"""Two tubes were swapped: a chimerism result that stops the treatment is corrected two days later."""

from dataclasses import replace
from random import Random
from typing import Final

from monitor.generate.course import Course, Form
from monitor.generate.forms import decision

RECORD: Final = "hla-lab-swap"


def tell(course: Course, rng: Random) -> Course:
    """A stop on a wrong result, its correction, and the signed decision to go on."""
    day = course.starts_on + rng.randint(45, 120)
    sample = {"unit": "%", "specimen": "bone_marrow", "lineage": "whole", "method": "str"}
    sample |= {"record_id": f"{RECORD}-{course.patient.subject.lower()}"}
    wrong = Form(day, "chimerism.resulted", sample | {"donor_percent": "84.2"}, hour=9, delay_hours=30)
    corrected = {"record_version": 2, "status": "corrected", "reason": "specimens swapped in the laboratory"}
    right = Form(day, "chimerism.resulted", sample | corrected | {"donor_percent": "98.7"}, hour=9, delay_hours=80)
    return replace(
        course,
        pauses=((day + 2, day + 6),),
        forms=(wrong, right, decision(day + 5, "continue", "the low chimerism belonged to another patient")),
    )
