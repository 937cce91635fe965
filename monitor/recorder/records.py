"""How facts, ticks and decisions are written down: the payloads of the log's records. Pure."""

from datetime import datetime
from typing import Final

from monitor.audit import kinds
from monitor.audit.core_version import CORE_VERSION
from monitor.audit.records import NewRecord, Origin
from monitor.audit.times import utc_text
from monitor.core.alert import Change
from monitor.core.patient import Entry
from monitor.events.canonical import canonical
from monitor.events.envelope import Received, Refused
from monitor.recorder.guard import Message

MONITOR: Final = "safety-monitor"
"""The actor of what the daemon concludes by itself."""


def origin_of(message: Message) -> Origin:
    """Where a message came from."""
    return Origin(message.input.topic, message.input.partition, message.input.offset)


def fact_record(patient: str, message: Message, entry: Entry) -> NewRecord:
    """A fact, a command or a refusal, in its subject's history."""
    event = entry.event
    key = message.dedupe_key
    if isinstance(event, Refused):
        key = f"{key}/{patient}"  # the quarantine's record has the key itself
    return NewRecord(
        stream=kinds.patient_stream(patient),
        kind=event.type if isinstance(event, Received) else kinds.INPUT_REFUSED,
        payload=event.stored,
        known_at=entry.known_at,
        actor=actor_of(event),
        dedupe_key=key,
        origin=origin_of(message),
        waited=entry.waited,
    )


def quarantine_record(message: Message, refused: Refused, known_at: datetime) -> NewRecord:
    """A refused message, as it came."""
    return NewRecord(
        stream=kinds.quarantine_stream(message.input.topic),
        kind=kinds.INPUT_REFUSED,
        payload=refused.stored,
        known_at=known_at,
        actor=actor_of(refused),
        dedupe_key=message.dedupe_key,
        origin=origin_of(message),
        keyed_by=kinds.patient_stream(refused.subject) if refused.subject else None,
    )


def tick_record(patient: str, due: datetime, known_at: datetime, *, waited: bool) -> NewRecord:
    """A deadline that came. Its id, (patient, due), suppresses nothing: it has no dedupe key."""
    return NewRecord(
        stream=kinds.patient_stream(patient),
        kind=kinds.CLOCK_TICKED,
        payload=canonical({"due": utc_text(due), "patient": patient}),
        known_at=known_at,
        actor=MONITOR,
        waited=waited,
    )


def change_record(change: Change, *, facts: int, **more: str | bool) -> NewRecord:
    """A decision, stamped with what made it: core, protocol, and the version of the facts that were read.

    The whole alert when it is raised; afterwards only what changed. `more` stands beside it in the payload.
    """
    now = change.alert.to_json()
    if change.before is not None:
        before = change.before.to_json()
        now = {key: value for key, value in now.items() if before.get(key) != value}
        now["alert_id"] = change.alert.alert_id
    payload = {
        "change": change.kind,
        "alert": now,
        "at": utc_text(change.at),
        "stamp": {"core": CORE_VERSION, "protocol": change.alert.protocol_hash, "facts": facts},
        **more,
    }
    return NewRecord(
        stream=kinds.alert_stream(change.alert.patient),
        kind=kinds.alert_kind(change.kind),
        payload=canonical(payload),
        known_at=change.at,
        actor=MONITOR,
    )


def actor_of(event: Received | Refused) -> str:
    """Who or what caused a record: the reporter or the commanding person by an opaque id, else the source system."""
    if isinstance(event, Received):
        for name in ("actor", "reported_by"):
            if isinstance(named := getattr(event.data, name, None), str) and named:
                return named
    return event.source or MONITOR
