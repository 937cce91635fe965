"""Messages for the engine's tests, and sending them."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from monitor.broker import producer
from monitor.cli.publish import send
from monitor.settings import Settings

START = datetime(2025, 3, 1, 1, tzinfo=UTC)


def platelets(patient: str, number: int, *, value: str = "120", at: datetime | None = None) -> bytes:
    """A platelet count; `number` makes its ids."""
    time = at or START + timedelta(minutes=number)
    return event(
        "safety.lab.resulted.v1",
        patient,
        f"lis-{number}",
        time,
        {
            "record_id": f"plt-{number}",
            "record_version": 1,
            "effective_at": time.isoformat(),
            "code": "777-3",
            "specimen": "blood",
            "value": value,
            "unit": "10*9/L",
        },
    )


def blasts(patient: str, number: int, *, at: datetime | None = None) -> bytes:
    """A marrow with a relapse: it raises an alert of high priority for an enrolled patient."""
    time = at or START + timedelta(minutes=number)
    data = {
        "record_id": f"bm-{number}",
        "record_version": 1,
        "effective_at": time.isoformat(),
        "marrow_blast_percent": "30",
        "relapse": True,
    }
    return event("safety.disease.assessed.v1", patient, f"edc-{number}", time, data)


def azacitidine(patient: str, number: int) -> bytes:
    """A dose: the patient is on treatment from then on, and a criterion that is met stops it."""
    time = START + timedelta(minutes=number)
    data = {
        "record_id": f"aza-{number}",
        "record_version": 1,
        "effective_at": time.isoformat(),
        "cycle": 1,
        "day": 1,
        "dose_mg_m2": "32",
    }
    return event("safety.azacitidine.given.v1", patient, f"edc-{number}", time, data)


def enrolment(patient: str, *, at: datetime = START) -> bytes:
    """An enrolled patient, transplanted a month before."""
    data = {
        "record_id": f"enrol-{patient}",
        "record_version": 1,
        "effective_at": at.isoformat(),
        "hct_date": "2025-02-01",
        "donor_type": "haploidentical",
        "graft_source": "peripheral_blood",
        "high_risk": True,
    }
    return event("safety.patient.enrolled.v1", patient, f"enrol-{patient}", at, data)


def event(kind: str, patient: str, delivery: str, time: datetime, data: dict[str, object]) -> bytes:
    """A CloudEvent in structured mode."""
    envelope = {
        "specversion": "1.0",
        "id": delivery,
        "source": "/test/source",
        "type": kind,
        "subject": patient,
        "time": time.isoformat(),
        "datacontenttype": "application/json",
        "data": data,
    }
    return json.dumps(envelope).encode()


def publish(settings: Settings, lines: Sequence[bytes]) -> int:
    """Send lines as `publish` does, with the clock's steps; how many messages."""
    return asyncio.run(send(settings, lines))


def put(settings: Settings, topic: str, messages: Sequence[tuple[bytes | None, bytes]]) -> None:
    """Send messages (key, value) to one topic, in order, without the clock's steps."""

    async def all_of_them() -> None:
        async with producer(settings) as client:
            for key, value in messages:
                await client.send_and_wait(topic, value, key)

    asyncio.run(all_of_them())
