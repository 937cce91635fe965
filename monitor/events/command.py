"""What people do with alerts. Commands are facts of the patient's history, without a record block."""

from monitor.events.record import Frozen
from monitor.events.scalars import Instant, Text, Word


class Command(Frozen):
    """Something a person did with one alert: which, who, and why."""

    alert_id: Word
    actor: Word
    note: Text = None


class AlertAcknowledged(Command):
    """Seen, and in hand."""


class AlertShelved(Command):
    """Put aside until a time: never for good."""

    until: Instant


class AlertResolved(Command):
    """Ended by a person."""
