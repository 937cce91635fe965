"""Refused messages read again after a mend: who asked for which, and what can be read now. Pure.

A request and its outcomes are records of the stream `system/retries`: the quarantine itself is never changed.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import uuid4
from zoneinfo import ZoneInfo

from monitor.audit import kinds
from monitor.audit.records import NewRecord, Origin, Record
from monitor.events.canonical import canonical
from monitor.events.codec import decode, readmit, restore
from monitor.events.envelope import Received, Refused
from monitor.recorder.guard import Message
from monitor.recorder.inputs import Input

AT_ONCE: Final = 200  # messages of one transaction


@dataclass(frozen=True, slots=True)
class Kept:
    """A refused message as the log keeps it."""

    sequence: int
    recorded_at: datetime
    origin: Origin
    refused: Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which messages are meant: those that fit all that is given, up to sequence `until` of the log."""

    until: int
    sequences: tuple[int, ...] = ()
    topic: str | None = None
    reason: str | None = None
    source: str | None = None

    def takes(self, kept: Kept) -> bool:
        """Is this one meant?"""
        return (
            kept.sequence <= self.until
            and (not self.sequences or kept.sequence in self.sequences)
            and self.topic in (None, kept.origin.topic)
            and self.reason in (None, kept.refused.reason.value)
            and self.source in (None, kept.refused.source)
        )


@dataclass(slots=True)
class Retries:
    """What the stream says: requests that are not done yet, by their sequence, and what has been read again."""

    open: dict[int, Choice] = field(default_factory=dict)
    accepted: set[int] = field(default_factory=set)


def kept_in(record: Record) -> Kept | None:
    """The refused message that a record of the quarantine holds; None for one that was erased."""
    if record.gone:
        return None
    refused = restore(record.payload)
    if record.origin is None or not isinstance(refused, Refused):
        return None
    return Kept(record.sequence, record.recorded_at, record.origin, refused)


def again(kept: Iterable[Kept], site: ZoneInfo, max_bytes: int) -> dict[int, Message]:
    """Those that can be read now, by sequence, as facts that came from where they came at first."""
    readable = {}
    for each in kept:
        content = decode(
            each.refused.raw,
            headers=each.refused.headers,
            topic=each.origin.topic,
            site_timezone=site,
            max_bytes=max_bytes,
        )
        if isinstance(content, Received):
            came = Input(
                each.origin.topic,
                each.origin.partition,
                each.origin.offset,
                content.subject.encode(),  # the quarantine does not keep what key it had
                each.refused.raw,
                each.refused.headers,
            )
            readable[each.sequence] = Message(came, readmit(content, each.refused.delivery_key))
    return readable


def asked_record(choice: Choice, *, actor: str, why: str, now: datetime) -> NewRecord:
    """The record of a request, for the stream of retries."""
    payload: dict[str, object] = {
        "sequences": list(choice.sequences),
        "topic": choice.topic,
        "reason": choice.reason,
        "source": choice.source,
        "until": choice.until,
        "why": why,
    }
    return _record(kinds.RETRY_ASKED, payload, actor, now, f"act/{uuid4().hex}")


def made_record(
    asked: int, tried: Sequence[int], accepted: Sequence[int], *, error: str | None, actor: str, now: datetime
) -> NewRecord:
    """The record of what came of a part of a request; one that tried nothing says that it is done, or why it failed."""
    payload: dict[str, object] = {
        "asked": asked,
        "accepted": list(accepted),
        "refused": len(tried) - len(accepted),
        "done": not tried,
    }
    if error is not None:
        payload["error"] = error
    return _record(kinds.RETRY_MADE, payload, actor, now, f"retry/{asked}/{tried[0] if tried else 'done'}")


def retries_in(records: Iterable[Record]) -> Retries:
    """What the records of the stream come to."""
    found = Retries()
    for record in records:
        payload = json.loads(record.payload)
        if record.kind == kinds.RETRY_ASKED:
            names = ("until", "topic", "reason", "source")
            found.open[record.sequence] = Choice(
                sequences=tuple(payload["sequences"]), **{name: payload[name] for name in names}
            )
        elif record.kind == kinds.RETRY_MADE:
            found.accepted |= set(payload["accepted"])
            if payload["done"]:
                found.open.pop(payload["asked"], None)
    return found


def _record(kind: str, payload: dict[str, object], actor: str, now: datetime, key: str) -> NewRecord:
    return NewRecord(
        stream=kinds.SYSTEM_RETRIES, kind=kind, payload=canonical(payload), known_at=now, actor=actor, dedupe_key=key
    )
