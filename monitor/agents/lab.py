"""Laboratory results: the agent over `safety.lab`."""

import faust
from faust.types import StreamT

from monitor.agents.intake import Intake
from monitor.agents.registry import register

TOPIC = "safety.lab"


def add(app: faust.App, intake: Intake) -> None:
    """Add this topic's agent to the app."""

    async def lab(stream: StreamT[bytes]) -> None:
        await intake.drain(stream)

    register(app, TOPIC, lab)
