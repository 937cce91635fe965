"""The small troubles every patient has, and that no rule should wake anyone for."""

from __future__ import annotations

from typing import Final

from monitor.generate.chart import Chart
from monitor.generate.forms import adverse_event

COMMON: Final = (
    ("fatigue", 1),
    ("nausea", 1),
    ("nausea", 2),
    ("injection site reaction", 1),
    ("constipation", 1),
    ("headache", 1),
    ("upper respiratory infection", 2),
    ("rash maculo-papular", 1),
)
MOST: Final = 5


def complain(chart: Chart) -> None:
    """Write one to five events of grade 1 or 2, somewhere in the first half year of treatment."""
    for _ in range(chart.rng.randint(1, MOST)):
        term, grade = chart.rng.choice(COMMON)
        day = chart.course.starts_on + chart.rng.randint(1, 180)
        form = adverse_event(day, term, grade, related=chart.rng.random() < 0.4, infection="infection" in term)
        chart.write(form.type, form.day, form.data, hour=form.hour, delay_hours=form.delay_hours)
