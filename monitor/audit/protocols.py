"""The protocol files of the log: each activation is a record that holds the file itself, who approved it, and why.

So a log can be folded and verified with nothing beside it, and the file in force at any time is known.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.audit import kinds
from monitor.audit.ports import Streams
from monitor.audit.records import NewRecord, Record
from monitor.errors import ProtocolInvalid
from monitor.events.canonical import canonical
from monitor.protocol.model import Protocol
from monitor.protocol.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Activation:
    """A file on the log. `hash` is the one it was recorded with; `since` is when it came into force.

    The first file of a log is in force from the beginning, whenever it was recorded.
    """

    sequence: int
    protocol: Protocol
    hash: str
    approved_by: str
    why: str
    since: datetime


def activation_record(protocol: Protocol, *, approved_by: str, why: str, since: datetime) -> NewRecord:
    """The record of an activation; its actor is who approved it (21 CFR 11.10(e))."""
    payload = {
        "id": protocol.id,
        "version": protocol.version,
        "hash": protocol.hash,
        "content": protocol.model_dump(mode="json"),
        "approved_by": approved_by,
        "why": why,
    }
    return NewRecord(
        stream=kinds.PROTOCOLS,
        kind=kinds.PROTOCOL_ACTIVATED,
        payload=canonical(payload),
        known_at=since,
        actor=approved_by,
    )


async def activations(log: Streams) -> list[Activation]:
    """All activations, in order. Raises ProtocolInvalid for a file that this program cannot read."""
    return [_activation(record) for record in await log.stream(kinds.PROTOCOLS)]


def timeline(found: Sequence[Activation], otherwise: Protocol) -> Timeline:
    """Which file was in force when; `otherwise` the one for a log that holds none."""
    if not found:
        return Timeline(otherwise)
    return Timeline(found[0].protocol, tuple((each.since, each.protocol) for each in found[1:]))


async def files_in(log: Streams, otherwise: Protocol) -> Timeline:
    """The files of a log. Raises ProtocolInvalid, DatabaseUnavailable."""
    return timeline(await activations(log), otherwise)


def _activation(record: Record) -> Activation:
    try:
        payload = json.loads(record.payload)
        protocol = Protocol.model_validate(payload["content"])
    except (ValueError, KeyError) as error:  # a payload that does not open reads as none
        what = f"record {record.sequence} holds a protocol file that this program cannot read: {error}"
        raise ProtocolInvalid(what) from error
    return Activation(
        record.sequence, protocol, payload["hash"], payload["approved_by"], payload["why"], record.known_at
    )
