"""Who an invented patient is: what does not change while the trial lasts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final

ENROLLED_ON: Final = (80, 88)  # days after transplant: eligibility is settled just before treatment may start
TARGETS: Final = ("NPM1", "WT1", "WT1", "WT1")  # one transcript is followed by qPCR; three in four have no better one


@dataclass(frozen=True, slots=True)
class Profile:
    """An invented patient; days are counted from the transplant."""

    subject: str
    transplanted_on: date
    enrolled_on: int
    sex: str
    birth_year: int
    weight_kg: int
    height_cm: int
    ecog: int
    target: str

    def on(self, day: int) -> date:
        """The calendar day (site's local date) that lies `day` days after transplant."""
        return self.transplanted_on + timedelta(days=day)


def invent(number: int, enrolled: date, rng: Random) -> Profile:
    """Invent patient `number`, enrolled on that local date."""
    enrolled_on = rng.randint(*ENROLLED_ON)
    sex = rng.choice(("female", "male"))
    return Profile(
        subject=f"SH-{number:03d}",
        transplanted_on=enrolled - timedelta(days=enrolled_on),
        enrolled_on=enrolled_on,
        sex=sex,
        birth_year=enrolled.year - rng.randint(19, 66),
        weight_kg=rng.randint(46, 66) if sex == "female" else rng.randint(55, 88),
        height_cm=rng.randint(152, 170) if sex == "female" else rng.randint(163, 184),
        ecog=rng.choice((0, 1, 1, 1, 2)),
        target=rng.choice(TARGETS),
    )
