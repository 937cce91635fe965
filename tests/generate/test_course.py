from dataclasses import replace
from datetime import date
from random import Random

import pytest

from monitor.generate.chart import Chart
from monitor.generate.course import Course, uneventful
from monitor.generate.profile import invent
from monitor.generate.stories.deck import CARDS, stories
from monitor.generate.treatment import treat


@pytest.fixture
def course() -> Course:
    rng = Random(1)
    return replace(uneventful(invent(1, date(2024, 3, 1), rng), 700, rng), starts_on=100, cycles=4)


def test_cycles_begin_every_28_days(course: Course) -> None:
    assert course.cycle_starts() == (100, 128, 156, 184)


def test_a_cycle_that_falls_into_a_pause_waits_for_its_end(course: Course) -> None:
    assert replace(course, pauses=((120, 165),)).cycle_starts() == (100, 165, 193, 221)


def test_after_a_stop_for_good_no_cycle_begins(course: Course) -> None:
    assert replace(course, pauses=((150, None),)).cycle_starts() == (100, 128)


def test_a_pause_in_the_middle_of_five_days_cuts_them(course: Course) -> None:
    chart = Chart(replace(course, pauses=((130, None),)), Random(1))
    treat(chart)

    given = [message.data["day"] for message in chart.messages if message.data.get("cycle") == 2]
    assert given == [1, 2]


def test_donor_cells_come_in_rising_doses_with_an_antihistamine(course: Course) -> None:
    chart = Chart(course, Random(1))
    treat(chart)
    infusions = [message.data for message in chart.messages if message.type == "safety.dli.infused.v1"]

    assert [data["cd3_per_kg"] for data in infusions] == ["100000", "500000", "1000000", "2000000"]
    assert all(any(drug["class"] == "antihistamine" for drug in data["premedication"]) for data in infusions)


def test_a_deck_has_a_card_for_each_of_51_patients() -> None:
    deal = stories(Random(3))
    dealt = [next(deal) for _ in range(51)]

    assert sum(CARDS.values()) == 51
    assert {story: dealt.count(story) for story in CARDS} == dict(CARDS)
