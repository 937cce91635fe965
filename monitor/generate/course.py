"""What happens to one patient, before anyone writes it down: the plan, its errors, the disease and the graft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from types import MappingProxyType
from typing import Any, Final

from monitor.generate.profile import Profile
from monitor.generate.trajectory import Trajectory

CYCLE_DAYS: Final = 28
DOSING_DAYS: Final = 5
DLI_OFFSET: Final = 7  # the infusion comes on the cycle's eighth day, three days after the last azacitidine
MOST_DLIS: Final = 4
FIRST_DOSE_ON: Final = (91, 114)  # days after transplant: inside both start windows of the trial record


class Check(StrEnum):
    """What a visit outside the calendar looks at."""

    ACUTE = "acute"
    CHRONIC = "chronic"
    MARROW = "marrow"
    CHIMERISM = "chimerism"
    QPCR = "qpcr"
    BLOOD = "blood"


@dataclass(frozen=True, slots=True)
class Form:
    """One thing somebody fills in: an event of its own on a day, issued some hours later."""

    day: int
    type: str
    data: Mapping[str, Any]
    hour: int = 11
    delay_hours: int = 3


@dataclass(frozen=True, slots=True)
class Flare:
    """Graft-versus-host disease from one day to the day before another (None: to the end), by organ."""

    starts_on: int
    ends_on: int | None
    organs: Mapping[str, int]

    def active(self, day: int) -> bool:
        """True on the days it lasts."""
        return self.starts_on <= day and (self.ends_on is None or day < self.ends_on)


@dataclass(frozen=True, slots=True)
class Errors:
    """What went wrong with the doses; cycles and infusions are counted from 1."""

    azacitidine_dose: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))  # mg/m2 a day, by cycle
    missed_days: frozenset[tuple[int, int]] = frozenset()  # (cycle, day)
    cycle_length: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))  # days after cycle n
    dli_dose: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))  # CD3+ cells per kg
    dli_offset: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))  # days after the cycle's first
    unpremedicated: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Course:
    """One patient's course in days after transplant. Levels of disease are log10 of a per cent, chimerism per cent."""

    patient: Profile
    last_day: int
    starts_on: int
    cycles: int
    flow: Trajectory
    qpcr: Trajectory
    chimerism: Trajectory
    pauses: tuple[tuple[int, int | None], ...] = ()  # [from, to): nothing is given
    acute: tuple[Flare, ...] = ()
    chronic: tuple[Flare, ...] = ()
    forms: tuple[Form, ...] = ()
    checks: tuple[tuple[int, Check], ...] = ()  # what is looked at beside the calendar of visits
    errors: Errors = Errors()
    ended: bool = False  # a decision of a story's ends the treatment; else it is completed

    def cycle_starts(self) -> tuple[int, ...]:
        """The first day of each cycle that is given, pauses and shifted cycles counted in."""
        starts: list[int] = []
        day = self.starts_on
        for number in range(1, self.cycles + 1):
            for begins, ends in self.pauses:
                if begins <= day and (ends is None or day < ends):
                    if ends is None:
                        return tuple(starts)
                    day = ends
            if day + CYCLE_DAYS > self.last_day:
                break
            starts.append(day)
            day += self.errors.cycle_length.get(number, CYCLE_DAYS)
        return tuple(starts)

    def paused(self, day: int) -> bool:
        """True if nothing may be given on that day."""
        return any(begins <= day and (ends is None or day < ends) for begins, ends in self.pauses)


def uneventful(patient: Profile, last_day: int, rng: Random) -> Course:
    """The course everyone hopes for: disease undetected, full donor chimerism, no graft-versus-host disease."""
    return Course(
        patient=patient,
        last_day=last_day,
        starts_on=rng.randint(*FIRST_DOSE_ON),
        cycles=rng.choice((4, 4, 6, 6, 6, 8, 8, 12)),
        flow=Trajectory(((0, -3.0),)),
        qpcr=Trajectory(((0, rng.uniform(-3.6, -3.15)),)),
        chimerism=Trajectory(((0, rng.uniform(98.2, 99.8)),)),
    )
