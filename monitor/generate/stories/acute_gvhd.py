"""Acute graft-versus-host disease of grade II to IV, a signed stop, and what several stories make of the rest."""

from dataclasses import dataclass, replace
from random import Random
from typing import Final

from monitor.generate.course import Check, Course, Flare, Form
from monitor.generate.forms import decision

ORGANS: Final = (
    {"skin": 3},  # II
    {"skin": 2, "lower_gi": 1},  # II
    {"upper_gi": 1},  # II
    {"lower_gi": 1},  # II
    {"skin": 2, "lower_gi": 2},  # III
    {"liver": 2},  # III
    {"skin": 4},  # IV
)


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode in days after transplant: onset, the signed stop, remission, and the restart (None: never)."""

    onset: int
    stopped: int
    remission: int
    restart: int | None


def suffer(course: Course, rng: Random, episode: Episode) -> Course:
    """Write the episode into the course: pause, flare, steroids, the visits it causes and the decisions."""
    steroids = {"name": "methylprednisolone", "systemic_corticosteroid": True, "intensification": False}
    forms = [
        decision(episode.stopped, "stop", "acute GVHD"),
        Form(episode.stopped, "medication.given", steroids, hour=17, delay_hours=1),
    ]
    checks = [
        (episode.onset, Check.ACUTE),
        (episode.onset + 7, Check.ACUTE),
        (episode.remission, Check.ACUTE),
        (episode.remission + 7, Check.ACUTE),
        (episode.stopped + 28, Check.CHRONIC),
    ]
    resumes = None
    if episode.restart is not None:
        forms.append(decision(episode.restart, "restart", "acute GVHD in remission, no chronic GVHD"))
        checks += [(episode.restart - 12, Check.MARROW), (episode.restart - 2, Check.BLOOD)]
        checks += [(episode.restart - 1, Check.ACUTE), (episode.restart - 1, Check.CHRONIC)]
        resumes = episode.restart + 1
    return replace(
        course,
        acute=(Flare(episode.onset, episode.remission, rng.choice(ORGANS)),),
        pauses=((episode.stopped + 1, resumes),),
        forms=tuple(forms),
        checks=tuple(checks),
        ended=episode.restart is None,
    )


def onset(course: Course, rng: Random) -> int:
    """A day between the first and the fourth infusion; at times in the middle of five days of azacitidine."""
    if rng.random() < 0.3:
        return course.starts_on + 28 * rng.randint(1, 3) + 1
    return course.starts_on + rng.randint(20, 95)
