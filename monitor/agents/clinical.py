"""Adverse events, disease and graft: the agent over `safety.clinical`."""

import faust
from faust.types import StreamT

from monitor.agents.intake import Intake
from monitor.agents.registry import register

TOPIC = "safety.clinical"


def add(app: faust.App, intake: Intake) -> None:
    """Add this topic's agent to the app."""

    async def clinical(stream: StreamT[bytes]) -> None:
        await intake.drain(stream)

    register(app, TOPIC, clinical)
