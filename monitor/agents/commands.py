"""What a person did about an alert: the agent over `safety.command`."""

import faust
from faust.types import StreamT

from monitor.agents.intake import Intake
from monitor.agents.registry import register

TOPIC = "safety.command"


def add(app: faust.App, intake: Intake) -> None:
    """Add this topic's agent to the app."""

    async def commands(stream: StreamT[bytes]) -> None:
        await intake.drain(stream)

    register(app, TOPIC, commands)
