"""The pen: what is observed on a day becomes a message with its record's identity and its moment of issue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from monitor.generate.course import Course
from monitor.generate.message import Message, moment

SITE: Final = ZoneInfo("Asia/Shanghai")
SITE_NAME: Final = "shgh"

# which system of the site sends a type, by the type's second word
SENDERS: Final = {
    "patient": "registry",
    "lab": "lis",
    "mrd": "mrd-lab",
    "chimerism": "hla-lab",
    "gvhd": "edc",
    "adverse-event": "edc",
    "disease": "edc",
    "graft": "edc",
    "azacitidine": "pharmacy",
    "dli": "cell-therapy",
    "medication": "pharmacy",
    "treatment": "edc",
}


@dataclass(slots=True)
class Chart:
    """Collects one patient's messages. Whatever would be issued after the course's last day is not written."""

    course: Course
    rng: Random
    messages: list[Message] = field(default_factory=list)
    _numbers: Counter[str] = field(default_factory=Counter)

    def write(self, kind: str, day: int, data: Mapping[str, Any], *, hour: int, delay_hours: int) -> None:
        """Write `safety.KIND.v1`, effective on that day at about that local hour, issued that many hours later."""
        if not 0 <= day <= self.course.last_day:
            return
        sender = SENDERS[kind.partition(".")[0]]
        self._numbers[sender] += 1
        number = f"{sender}-{self.course.patient.subject.lower()}-{self._numbers[sender]:04d}"
        effective_at = self.moment(day, hour)
        record: dict[str, Any] = {"record_id": number, "record_version": 1, "status": "final"}
        record |= {"effective_at": moment(effective_at)}
        record |= {key: value for key, value in data.items() if value is not None}
        issued_at = effective_at + timedelta(hours=delay_hours, minutes=self.rng.randint(2, 55))
        if issued_at.date() > self.course.patient.on(self.course.last_day):
            return
        self.messages.append(
            Message(
                issued_at=issued_at,
                source=f"/{SITE_NAME}/{sender}",
                id=f"{record['record_id']}-{record['record_version']}",
                type=f"safety.{kind}.v1",
                subject=self.course.patient.subject,
                data=record,
            )
        )

    def moment(self, day: int, hour: int) -> datetime:
        """A local time on that day, within half an hour after the hour; the same day and hour give the same time."""
        at = time(hour, (7 * day + 13 * hour) % 30, tzinfo=SITE)
        return datetime.combine(self.course.patient.on(day), at)
