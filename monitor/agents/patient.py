"""Enrolments and changes of a patient's status: the agent over `safety.patient`."""

import faust
from faust.types import StreamT

from monitor.agents.intake import Intake
from monitor.agents.registry import register

TOPIC = "safety.patient"


def add(app: faust.App, intake: Intake) -> None:
    """Add this topic's agent to the app."""

    async def patient(stream: StreamT[bytes]) -> None:
        await intake.drain(stream)

    register(app, TOPIC, patient)
