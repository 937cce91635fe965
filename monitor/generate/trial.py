"""The whole trial: patients enrolled one after another, their messages merged by time, the wire's faults among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final

from monitor.generate.course import uneventful
from monitor.generate.faults.broken import write
from monitor.generate.faults.duplicates import double
from monitor.generate.faults.lateness import delay
from monitor.generate.faults.revisions import revise
from monitor.generate.message import Line
from monitor.generate.profile import invent
from monitor.generate.stories.deck import Story, stories
from monitor.generate.writing import write_out

FIRST_ENROLMENT_ON: Final = date(2024, 1, 8)
ENROLMENT_SHARE: Final = 0.35  # of the trial's days: then the last patient is in
DAYS: Final = 730


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial's lines in order of time, and how many of them were broken on purpose, by reason."""

    lines: tuple[Line, ...]

    @property
    def broken(self) -> Counter[str]:
        """Deliberately broken lines by the reason for which they must be refused."""
        return Counter(line.broken for line in self.lines if line.broken is not None)

    def text(self) -> str:
        """The file: one line a message, each ended by a newline."""
        return "".join(f"{line.text}\n" for line in self.lines)


def generate_trial(patients: int, seed: int, days: int = DAYS) -> Trial:
    """Invent a trial of that many patients that is watched for that many days. A pure function of its arguments."""
    deal = stories(Random(f"{seed}/stories"))
    lines: list[Line] = []
    for number in range(1, patients + 1):
        lines.extend(_patient(number, patients, days, next(deal), Random(f"{seed}/{number}")))
    return Trial(tuple(sorted(lines, key=lambda line: line.issued_at)))


def _patient(number: int, patients: int, days: int, story: Story, rng: Random) -> Iterator[Line]:
    span = max(1, int(days * ENROLMENT_SHARE))
    enrolled = FIRST_ENROLMENT_ON + timedelta(days=(number - 1) * span // patients)
    patient = invent(number, enrolled, rng)
    last = FIRST_ENROLMENT_ON + timedelta(days=days)
    course = story(uneventful(patient, (last - patient.transplanted_on).days, rng), rng)
    messages = revise(delay(write_out(course, rng), rng), rng)
    end = last + timedelta(days=1)
    in_time = sorted((m for m in messages if m.issued_at.date() < end), key=lambda m: (m.issued_at, m.source, m.id))
    yield from double(write(in_time, rng), rng)
