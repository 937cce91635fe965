"""What was given and decided: the agent over `safety.treatment`."""

import faust
from faust.types import StreamT

from monitor.agents.intake import Intake
from monitor.agents.registry import register

TOPIC = "safety.treatment"


def add(app: faust.App, intake: Intake) -> None:
    """Add this topic's agent to the app."""

    async def treatment(stream: StreamT[bytes]) -> None:
        await intake.drain(stream)

    register(app, TOPIC, treatment)
