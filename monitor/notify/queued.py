"""What waits in the outbox: all the relay needs to send it, written when the alert was, in the same transaction."""

import hashlib
import json
from dataclasses import asdict, dataclass
from uuid import UUID, uuid5

from monitor.core.alert import Change
from monitor.events.alert import alert_event
from monitor.events.canonical import canonical, utc
from monitor.notify.ports import Notice

# Ids of messages are derived from what is said and to whom: what is sent again has the id it had.
_MESSAGES = UUID("6c2f7a52-8d3e-5b0a-9c41-2f1d0b7e5a90")


def row_id(change: Change, recipient: str) -> str:
    """The id of an outbox row. It sorts by alert, time and revision: rows due at one time go out in this order."""
    alert = change.alert
    return f"{alert.alert_id}/{utc(change.at)}/{alert.revision:06d}/{change.kind}/{recipient}"


def message_id(row: str) -> str:
    """The id of the message that a row makes; the same for the same row."""
    return str(uuid5(_MESSAGES, row))


@dataclass(frozen=True, slots=True)
class QueuedNotice:
    """A notice for one recipient.

    `also`: the other alerts it tells of. `only_if_told`: send it only to somebody who got an earlier notice of this
    alert. `fallback`: whom to tell, in turn, where this recipient cannot be reached after `attempts`, each with the
    channel it goes by. `first_for`: whom it was meant for, where this recipient is told in their place.
    """

    alert_id: str
    rule: str
    change: str
    title: str
    body: str
    only_if_told: bool
    attempts: int
    fallback: tuple[tuple[str, str], ...] = ()
    first_for: str | None = None
    also: tuple[str, ...] = ()

    @property
    def notice(self) -> Notice:
        """What is to be sent."""
        if self.first_for is None:
            return Notice(self.title, self.body)
        instead = f"This notice was meant for {self.first_for}, who could not be reached. You get it in their place."
        return Notice(self.title, f"{instead}\n\n{self.body}")

    @property
    def digest(self) -> str:
        """SHA-256 of the text, for the receipt: proof of what was said without keeping it twice."""
        return hashlib.sha256(f"{self.notice.title}\n{self.notice.body}".encode()).hexdigest()

    def to_payload(self) -> str:
        """Canonical JSON."""
        return canonical(asdict(self))

    @classmethod
    def from_payload(cls, payload: str) -> "QueuedNotice":
        """Read back what `to_payload` wrote."""
        fields = json.loads(payload)
        fallback = tuple((name, channel) for name, channel in fields["fallback"])
        return cls(**{**fields, "fallback": fallback, "also": tuple(fields.get("also", ()))})


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """A change of an alert for the alert topic: the key, and the CloudEvent as it goes on the wire."""

    alert_id: str
    change: str
    key: str
    value: str

    @classmethod
    def of(cls, change: Change) -> "QueuedEvent":
        """The event of a change; its id is the same whenever the change is sent."""
        alert = change.alert
        message = alert_event(
            change=change.kind,
            patient=alert.patient,
            event_id=message_id(row_id(change, "")),
            at=change.at,
            alert=alert.to_json(),
        )
        value = message.value.decode() if isinstance(message.value, bytes) else str(message.value)
        return cls(alert.alert_id, change.kind, alert.patient, value)

    def to_payload(self) -> str:
        """Canonical JSON."""
        return canonical(asdict(self))

    @classmethod
    def from_payload(cls, payload: str) -> "QueuedEvent":
        """Read back what `to_payload` wrote."""
        return cls(**json.loads(payload))
