"""Who wants something erased and why, and the record of it that stays on the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.audit import kinds
from monitor.audit.records import NewRecord
from monitor.events.canonical import canonical


@dataclass(frozen=True, slots=True)
class Request:
    """Who wants something erased, when and why; `whole`: nothing is to be left."""

    why: str
    actor: str
    at: datetime
    whole: bool = False


def act_of(
    request: Request, stream: str, patient: str | None, left: Mapping[int, str | None] | None, keys: Sequence[str]
) -> NewRecord:
    """The record of a redaction. `left` null: of all that these keys had encrypted nothing is left."""
    shown = None if left is None else {str(sequence): left[sequence] for sequence in sorted(left)}
    payload = {"patient": patient, "why": request.why, "left": shown, "keys": list(keys)}
    return NewRecord(
        stream=stream, kind=kinds.RECORD_REDACTED, payload=canonical(payload), known_at=request.at, actor=request.actor
    )
