"""The ways to people: the routing file, each recipient's URL, and, where it is asked for, a notice to all of them."""

import os
import uuid
from collections.abc import Mapping
from typing import Final

from monitor.cli.doctoring.symptom import Symptom, doubt, well, wrong
from monitor.errors import UsageError
from monitor.notify.ports import Notice, SendOutcome
from monitor.notify.routing import Routing, load_routing
from monitor.notify.sender import AppriseSender
from monitor.settings import ClockKind, Settings

PART = "channels"
TRIAL: Final = Notice(
    "Safety monitor: test notice",
    "Somebody is trying whether notices of the safety monitor reach you. Nothing has happened; there is nothing to do.",
)


async def look(settings: Settings, *, send: bool) -> list[Symptom]:
    """Never raises for what a file or a channel does."""
    if settings.routing is None:
        told = "no notice goes to anybody"
        mend = "set routing (deploy/routing.example.yaml)"
        # A back-fill may be meant to tell nobody; a worker that watches patients is there to tell somebody.
        return [wrong(PART, told, mend) if settings.clock is ClockKind.SYSTEM else doubt(PART, told, mend)]
    try:
        routing = load_routing(settings.routing, os.environ)
        sender = AppriseSender(routing.recipients)
    except UsageError as error:
        return [wrong(PART, str(error), "mend the routing file")]
    async with sender:
        tried = {name: await sender.send(name, TRIAL, uuid.uuid4().hex) for name in routing.recipients} if send else {}
    failed = {name: receipt.detail for name, receipt in tried.items() if receipt.outcome is not SendOutcome.DELIVERED}
    return [_told(routing, sent=len(tried)), *_failures(failed)]


def _told(routing: Routing, *, sent: int) -> Symptom:
    names = ", ".join(sorted(routing.recipients))
    return well(PART, f"{names}: {f'{sent} test notices sent' if sent else 'not tried (--send tries them)'}")


def _failures(failed: Mapping[str, str]) -> list[Symptom]:
    return [wrong(PART, f"{name}: {detail}", "look at its URL in the routing file") for name, detail in failed.items()]
