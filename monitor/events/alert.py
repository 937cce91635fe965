"""The outbound event: each change of an alert, for `safety.alert`, keyed by patient (docs/events.md, "Outbound")."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from cloudevents.core.bindings.kafka import KafkaMessage, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from monitor.events.canonical import canonical, utc

CHANGES: Final = frozenset({"raised", "revised", "acknowledged", "escalated", "shelved", "withdrawn", "resolved"})
SOURCE: Final = "/safety-monitor"


class _CanonicalFormat(JSONFormat):
    """The library's JSON format, written canonically: the same change is the same bytes every time."""

    def write(self, event: Any) -> bytes:
        attributes = {name: value for name, value in event.get_attributes().items() if value is not None}
        return canonical({**attributes, "data": event.get_data()}).encode()


_FORMAT: Final = _CanonicalFormat()


def alert_type(change: str) -> str:
    """The wire name of a change. Raises ValueError for a change that alerts do not have."""
    if change not in CHANGES:
        raise ValueError(f"no such change of an alert: {change}")
    return f"safety.alert.{change}.v1"


def alert_event(
    *,
    change: str,
    patient: str,
    event_id: str,
    at: datetime,
    alert: Mapping[str, Any],
    source: str = SOURCE,
) -> KafkaMessage:
    """A change of an alert as a CloudEvent in structured mode: key, headers and value, ready to send.

    `patient` is empty for an alert about the system: that event has no subject, and an empty key keeps their order.
    `alert` is the alert after the change, in primitives (decimals become strings, times UTC); `at` is the clock's now
    of the change; `event_id` must be the same whenever the same change is sent again. Raises ValueError for an unknown
    change, TypeError for what JSON cannot hold.
    """
    event = CloudEvent(
        attributes={
            "specversion": "1.0",
            "type": alert_type(change),
            "source": source,
            "id": event_id,
            **({"subject": patient} if patient else {}),
            "time": at,
            "datacontenttype": "application/json",
        },
        data={"change": change, "at": utc(at), "alert": dict(alert)},
    )
    return to_structured(event, _FORMAT, key_mapper=lambda _: patient.encode())
