"""Which records an export takes: all, or those of a patient, of a span of time, or of both."""

import json
from dataclasses import dataclass
from datetime import datetime

from monitor.audit import kinds
from monitor.audit.stored import Stored
from monitor.audit.times import utc_text


@dataclass(frozen=True, slots=True)
class Filters:
    """`patient`: the three streams of this patient, and what the daemon recorded of itself about this patient.

    `since` and `until`: recorded at or after, and before (the log's own clock, for corrections come later than what
    they correct). The protocol files are always taken: without them nobody can follow a decision.
    """

    patient: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def to_json(self) -> dict[str, str | None]:
        """As the manifest has them."""
        return {"patient": self.patient, "since": _text(self.since), "until": _text(self.until)}

    def take(self, stored: Stored, text: str | None) -> bool:
        """Is the record to be in the export? `text`: what its payload says, None where it says nothing any more."""
        if stored.stream == kinds.PROTOCOLS:
            return True
        since, until = _text(self.since), _text(self.until)
        if (since is not None and stored.recorded_at < since) or (until is not None and stored.recorded_at >= until):
            return False
        return self.patient is None or self._about_patient(stored, text, self.patient)

    def _about_patient(self, stored: Stored, text: str | None, patient: str) -> bool:
        own = (kinds.patient_stream(patient), kinds.alert_stream(patient), kinds.delivery_stream(patient))
        return stored.stream in own or (stored.stream == kinds.SYSTEM and _names(text or "", patient))


def _names(text: str, patient: str) -> bool:
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("patient") == patient


def _text(at: datetime | None) -> str | None:
    return None if at is None else utc_text(at)
