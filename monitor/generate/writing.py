"""One patient's course, written out as messages in the order of their issue."""

from __future__ import annotations

from random import Random

from monitor.generate.adverse_events import complain
from monitor.generate.chart import Chart
from monitor.generate.course import Course
from monitor.generate.enrolment import enrol
from monitor.generate.message import Message
from monitor.generate.treatment import treat
from monitor.generate.visits import visit


def write_out(course: Course, rng: Random) -> list[Message]:
    """All messages of the course, sorted by the time of issue."""
    chart = Chart(course, rng)
    enrol(chart)
    treat(chart)
    visit(chart)
    complain(chart)
    for form in course.forms:
        chart.write(form.type, form.day, form.data, hour=form.hour, delay_hours=form.delay_hours)
    return sorted(chart.messages, key=lambda message: (message.issued_at, message.source, message.id))
