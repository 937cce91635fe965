"""A refused message's copy for the `safety.quarantine` topic: as it came, with headers for why and from where. Pure."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.audit.batch import OutboxRow
from monitor.events.canonical import canonical
from monitor.events.catalogue import QUARANTINE_TOPIC
from monitor.events.envelope import Refused
from monitor.events.quarantine import OURS, PREFIX, quarantine_headers
from monitor.notify.routing import QUARANTINE_CHANNEL
from monitor.recorder.guard import Message
from monitor.recorder.inputs import Header


@dataclass(frozen=True, slots=True)
class Copy:
    """A message for the quarantine topic."""

    key: bytes | None
    value: bytes
    headers: Sequence[Header]

    @property
    def bare(self) -> Sequence[Header]:
        """Our headers alone, and how much was left out: for a message that is too large to be copied whole."""
        ours = [(name, value) for name, value in self.headers if name in OURS][-len(OURS) :]  # a sender may feign them
        return [*ours, (f"{PREFIX}left_out", f"{len(self.value)} bytes; the whole is on the log".encode())]


def copy_row(message: Message, refused: Refused, now: datetime) -> OutboxRow:
    """The outbox row of a refused message's copy; its id is where the message came from, so it is written once."""
    came = message.input
    headers = quarantine_headers(refused, topic=came.topic, partition=came.partition, offset=came.offset)
    payload = {
        "key": None if came.key is None else _text(came.key),
        "value": _text(came.value),
        "headers": [[name, _text(value)] for name, value in headers],
    }
    return OutboxRow(
        row_id=f"{QUARANTINE_CHANNEL}/{message.dedupe_key}",
        patient=None,
        alert_id=None,
        channel=QUARANTINE_CHANNEL,
        recipient=QUARANTINE_TOPIC,
        priority="low",
        payload=canonical(payload),
        created_at=now,
        not_before=now,
    )


def copy_of(payload: str) -> Copy:
    """Read back what `copy_row` wrote."""
    fields = json.loads(payload)
    key = None if fields["key"] is None else _bytes(fields["key"])
    return Copy(key, _bytes(fields["value"]), [(name, _bytes(value)) for name, value in fields["headers"]])


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
