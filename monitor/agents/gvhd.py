"""Acute and chronic graft-versus-host disease: the agent over `safety.gvhd`."""

import faust
from faust.types import StreamT

from monitor.agents.intake import Intake
from monitor.agents.registry import register

TOPIC = "safety.gvhd"


def add(app: faust.App, intake: Intake) -> None:
    """Add this topic's agent to the app."""

    async def gvhd(stream: StreamT[bytes]) -> None:
        await intake.drain(stream)

    register(app, TOPIC, gvhd)
