"""`safety-monitor acknowledge`, `shelve` and `resolve`: what a person says of an alert, as an event like any other.

The event goes to the broker and comes in by the same door as results do; once the worker has it, `alerts` shows it.
What is said of an alert about the system (`ops.*`) goes to the log.
"""

import asyncio
import re
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import typer

from monitor.audit.acts import record_act
from monitor.audit.batch import AlertRow
from monitor.broker import producer
from monitor.cli.alerts import read_alerts
from monitor.core.alert import LIVE
from monitor.errors import UsageError
from monitor.events.canonical import canonical, utc
from monitor.events.catalogue import TYPES
from monitor.events.codec import decode
from monitor.events.envelope import Refused
from monitor.events.scalars import YEARS
from monitor.operations.answering import answer
from monitor.protocol.model import Protocol
from monitor.rulebook import OPERATIONS
from monitor.settings import Settings, load_settings

SOURCE: Final = "/safety-monitor/console"
SHORTEST: Final = 4  # characters of a reference that are enough, if only one alert begins so

_SPAN: Final = re.compile(r"(\d{1,4})([mhd])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}

Reference = Annotated[str, typer.Argument(help="The alert's reference, or its beginning.")]
Actor = Annotated[str, typer.Option(help="Who you are: your id in the trial, not your name.")]
Note = Annotated[str, typer.Option(help="What you do about it, or why.")]


def acknowledge(alert: Reference, actor: Actor, note: Note) -> None:
    """Say that you have seen an alert and look after it."""
    _say("acknowledged", alert, actor, note)


def shelve(
    alert: Reference,
    actor: Actor,
    note: Note,
    until: Annotated[str, typer.Option(help="Until when: 30m, 4h, 2d, or a time as 2025-06-13T08:00+08:00.")],
) -> None:
    """Put an alert aside until a time; it comes back by itself, and at once if it gets worse."""
    _say("shelved", alert, actor, note, until=utc(time_of(until, datetime.now(UTC))))


def resolve(alert: Reference, actor: Actor, note: Note) -> None:
    """Close an alert. That ends the alert, not a stop: a stop waits for a signed decision."""
    _say("resolved", alert, actor, note)


def time_of(text: str, now: datetime) -> datetime:
    """A span from now, or a time with its offset. Raises UsageError for anything else, and for the past."""
    if span := _SPAN.fullmatch(text):
        text = (now + timedelta(**{_UNITS[span.group(2)]: int(span.group(1))})).isoformat()
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--until {text}: neither a span (4h) nor a time (2025-06-13T08:00+08:00)") from None
    if time.year not in YEARS:
        raise UsageError(f"--until {text}: a year that cannot be")
    if time.tzinfo is None:
        raise UsageError(f"--until {text}: say its offset from UTC, such as +08:00")
    if time <= now:
        raise UsageError(f"--until {text}: that is past")
    return time


def command(kind: str, row: AlertRow, actor: str, note: str, now: datetime, **more: str) -> dict[str, object]:
    """The CloudEvent of what a person says of an alert."""
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": SOURCE,
        "type": f"safety.alert.{kind}.v1",
        "subject": row.patient,
        "time": utc(now),
        "datacontenttype": "application/json",
        "data": {"alert_id": row.alert_id, "actor": actor, "note": note, **more},
    }


def find_alert(reference: str, rows: Sequence[AlertRow]) -> AlertRow:
    """The alert that is meant, over or not. Raises UsageError if none or several are."""
    meant = [row for row in rows if row.alert_id == reference] or [
        row for row in rows if len(reference) >= SHORTEST and row.alert_id.startswith(reference)
    ]
    if not meant:
        raise UsageError(f"no alert has the reference {reference}")
    if len(meant) > 1:
        raise UsageError(f"{len(meant)} alerts begin with {reference}; give more of it")
    return meant[0]


def the_one(reference: str, rows: Sequence[AlertRow]) -> AlertRow:
    """The alert that is meant. Raises UsageError if none or several are, or if it is over."""
    row = find_alert(reference, rows)
    if row.status not in LIVE:
        raise UsageError(f"alert {row.alert_id} is {row.status} already")
    return row


def _say(kind: str, reference: str, actor: str, note: str, **more: str) -> None:
    settings = load_settings()
    asyncio.run(_send(settings, kind, reference, actor, note, **more))


async def _send(settings: Settings, kind: str, reference: str, actor: str, note: str, **more: str) -> None:
    rows = await read_alerts(settings.log_url, None, every=True)
    row = the_one(reference, rows)
    if row.rule in OPERATIONS:
        record = answer(row, kind, actor=actor, note=note, now=datetime.now(UTC))
        await record_act(settings.log_url, record, datetime.now(UTC))
        typer.echo(f"recorded: alert {row.alert_id} {kind} by {actor}")
        return
    value = canonical(command(kind, row, actor, note, datetime.now(UTC), **more)).encode()
    # By our own door first: what it would refuse is not sent.
    judged = decode(value, site_timezone=Protocol.load(settings.protocol).tz)
    if isinstance(judged, Refused):
        raise UsageError(judged.detail)
    async with producer(settings) as client:
        await client.send_and_wait(TYPES[f"safety.alert.{kind}.v1"].topic, value, row.patient.encode())
    typer.echo(f"sent: alert {row.alert_id} {kind} by {actor}")
