"""How often each story is told: a deck of cards, so that a trial of 51 has its realistic share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Final

from monitor.generate.course import Course
from monitor.generate.stories import (
    chronic_gvhd,
    dose_errors,
    falling_chimerism,
    late_start,
    life_threatening,
    mild_chronic_gvhd,
    mrd_conversion,
    mrd_rise,
    never_restarted,
    plain,
    relapse,
    restart_in_time,
    restart_too_late,
    susar,
    swapped_specimens,
)

Story = Callable[[Course, Random], Course]

# cards of each story in a deck of 51, as many as the trial has patients
CARDS: Final[Mapping[Story, int]] = {
    plain.tell: 13,
    mrd_conversion.tell: 5,
    mrd_rise.tell: 5,
    restart_in_time.tell: 5,
    restart_too_late.tell: 2,
    never_restarted.tell: 2,
    chronic_gvhd.tell: 3,
    mild_chronic_gvhd.tell: 2,
    falling_chimerism.tell: 3,
    swapped_specimens.tell: 1,
    relapse.tell: 2,
    susar.tell: 2,
    life_threatening.tell: 1,
    dose_errors.tell: 4,
    late_start.tell: 1,
}


def stories(rng: Random) -> Iterator[Story]:
    """Deal stories for ever, one deck after another, each shuffled anew."""
    while True:
        deck = [story for story, cards in CARDS.items() for _ in range(cards)]
        rng.shuffle(deck)
        yield from deck
