"""How an agent is made of a topic: raw bytes, one at a time, and a crash is a crash."""

from collections.abc import Awaitable, Callable

import faust
from faust.types import AgentT, StreamT
from mode import CrashingSupervisor

Drain = Callable[[StreamT[bytes]], Awaitable[None]]


def register(app: faust.App, topic: str, drain: Drain) -> AgentT[bytes]:
    """Add the agent of one topic. Bytes come undecoded: faust would acknowledge and drop what it cannot decode."""
    channel = app.topic(topic, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    decorate = app.agent(channel, name=topic, concurrency=1, supervisor_strategy=CrashingSupervisor)
    return decorate(drain)
