"""Names of streams and of the records that are not clinical events. They are contracts: stored names never change."""

from typing import Final

SYSTEM: Final = "system"
"""Stream of what the daemon does to itself: starts, adoptions of positions, failed assessments."""

PROTOCOLS: Final = "system/protocol"
"""Stream of the protocol files that came into force; apart, so that a writer can expect its version."""

SYSTEM_ALERTS: Final = "system/alerts"
"""Stream of the alerts that are about the system and no patient: a feed that breaks or falls silent, a broken log."""

SYSTEM_DELIVERY: Final = "system/delivery"
"""Stream of what was sent about them."""

SYSTEM_RETRIES: Final = "system/retries"
"""Stream of what people asked to have read again out of the quarantine, and what came of it."""

PROGRAMS: Final = "system/program"
"""Stream of the programs that the log was assessed by, and of the stops that a newer one does not find."""

VERIFICATIONS: Final = "system/verification"
"""Stream of the passes of `verify` that workers made by themselves."""

CLOCK_TICKED: Final = "safety.clock.ticked.v1"
INPUT_REFUSED: Final = "safety.input.refused.v1"
ASSESSMENT_FAILED: Final = "safety.assessment.failed.v1"
NOTICE_DELIVERED: Final = "safety.notice.delivered.v1"
NOTICE_FAILED: Final = "safety.notice.failed.v1"
POSITIONS_ADOPTED: Final = "safety.positions.adopted.v1"
PROTOCOL_ACTIVATED: Final = "safety.protocol.activated.v1"
EXPORT_MADE: Final = "safety.export.made.v1"
LOG_READ: Final = "safety.log.read.v1"
RECORD_REDACTED: Final = "safety.record.redacted.v1"
LOG_VERIFIED: Final = "safety.log.verified.v1"
PROGRAM_ADOPTED: Final = "safety.program.adopted.v1"
STOP_DOUBTED: Final = "safety.stop.doubted.v1"

RETRY_ASKED: Final = "safety.quarantine.retry-asked.v1"
RETRY_MADE: Final = "safety.quarantine.retry-made.v1"

ALERT_CHANGES: Final = ("raised", "revised", "acknowledged", "escalated", "shelved", "withdrawn", "resolved")

_PATIENT: Final = "patient/"
_ALERT: Final = "alert/"
_DELIVERY: Final = "delivery/"
_QUARANTINE: Final = "quarantine/"


def patient_stream(patient: str) -> str:
    """Stream of a patient's facts, commands, refusals and ticks."""
    return _PATIENT + patient


def alert_stream(patient: str | None) -> str:
    """Stream of what was decided about a patient; without one, about the system."""
    return _ALERT + patient if patient else SYSTEM_ALERTS


def delivery_stream(patient: str | None) -> str:
    """Stream of what was sent about a patient; without one, about the system."""
    return _DELIVERY + patient if patient else SYSTEM_DELIVERY


def quarantine_stream(topic: str) -> str:
    """Stream of the refused messages of a topic."""
    return _QUARANTINE + topic


def patient_of(stream: str) -> str | None:
    """The patient of a `patient/` stream; None for any other stream."""
    return stream.removeprefix(_PATIENT) if stream.startswith(_PATIENT) else None


def patient_of_alert(stream: str) -> str | None:
    """The patient of an `alert/` stream; None for any other stream."""
    return stream.removeprefix(_ALERT) if stream.startswith(_ALERT) else None


def owner_of(stream: str) -> str:
    """Whose key encrypts the payloads of a stream: the patient's of whom it tells, else the system's."""
    patient = patient_named(stream)
    return SYSTEM if patient is None else patient_stream(patient)


def patient_named(stream: str) -> str | None:
    """The patient of whom a stream tells; None where it tells of none, or of several."""
    return next((stream.removeprefix(each) for each in (_PATIENT, _ALERT, _DELIVERY) if stream.startswith(each)), None)


def by_wall_clock(stream: str) -> bool:
    """Is a stream's `known_at` the wall clock's, whatever clock patients are assessed by?"""
    return stream.startswith((_DELIVERY, SYSTEM))


def alert_kind(change: str) -> str:
    """The record kind of an alert's change. Raises ValueError for an unknown change."""
    if change not in ALERT_CHANGES:
        raise ValueError(f"unknown change of an alert: {change}")
    return f"safety.alert.{change}.v1"
