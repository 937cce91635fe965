"""What was sent, to whom, and what became of it: a record on the log for each attempt, and what they tell together."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import TypeAdapter

from monitor.audit import kinds
from monitor.audit.batch import OutboxRow
from monitor.audit.records import NewRecord, Record
from monitor.events.canonical import canonical, utc
from monitor.notify.ports import SendOutcome

RELAY = "relay"


class Then(StrEnum):
    """What the relay does after an attempt. STUCK: nobody is left to try in this recipient's place, so it goes on."""

    DONE = "done"
    RETRY = "retry"
    HANDED_OVER = "handed_over"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to deliver one outbox row.

    `also`: the other alerts that the notice told of. `digest`: SHA-256 of the text. `elapsed_ms`: of the send.
    `handed_to`: who is told in this recipient's place, and by which row.
    """

    row_id: str
    message_id: str
    alert_id: str
    change: str
    recipient: str
    channel: str
    attempt: int
    outcome: str
    then: str
    detail: str
    elapsed_ms: int
    digest: str
    possible_duplicate: bool = False
    handed_to: str | None = None
    handed_to_row: str | None = None
    also: tuple[str, ...] = ()

    def tells_of(self, alert_id: str) -> bool:
        """True if the notice is, or is also, of this alert."""
        return alert_id == self.alert_id or alert_id in self.also

    @property
    def may_have_arrived(self) -> bool:
        """True if somebody may have it: it was taken, or nobody can tell."""
        return self.outcome in (SendOutcome.DELIVERED, SendOutcome.TIMEOUT)

    def record(self, row: OutboxRow, at: datetime) -> NewRecord:
        """The record for the `delivery/` stream of the patient (of the system, where there is none)."""
        delivered = self.outcome == SendOutcome.DELIVERED
        return NewRecord(
            stream=kinds.delivery_stream(row.patient),
            kind=kinds.NOTICE_DELIVERED if delivered else kinds.NOTICE_FAILED,
            payload=canonical({**asdict(self), "at": utc(at)}),
            known_at=at,
            actor=RELAY,
            dedupe_key=f"receipt/{self.row_id}/{self.attempt}",
        )


def attempts_in(records: Sequence[Record]) -> list[Attempt]:
    """The attempts on a stream, in order."""
    return [attempt for _, attempt in receipts_in(records)]


def receipts_in(records: Sequence[Record]) -> list[tuple[Record, Attempt]]:
    """The attempts on a stream with their records, in order; other records, and what was erased, are passed over."""
    known = (kinds.NOTICE_DELIVERED, kinds.NOTICE_FAILED)
    kept = (record for record in records if record.kind in known and not record.gone)
    # Not by pydantic's own parser: it keeps 16,384 short strings that it has read, and these never come again.
    return [(record, _ATTEMPT.validate_python(json.loads(record.payload))) for record in kept]


_ATTEMPT = TypeAdapter(Attempt)


class Told(StrEnum):
    """Whether somebody was told of an alert. NOT_YET: an earlier notice is still on its way."""

    YES = "yes"
    NO = "no"
    NOT_YET = "not_yet"


def told(attempts: Sequence[Attempt], alert_id: str, recipient: str) -> Told:
    """Whether a recipient got, or may have got, a notice of an alert."""
    of_alert = [attempt for attempt in attempts if attempt.tells_of(alert_id)]
    mine = [attempt for attempt in of_alert if attempt.recipient == recipient]
    if any(attempt.may_have_arrived for attempt in mine):
        return Told.YES
    last = {attempt.row_id: attempt for attempt in mine}
    if any(attempt.then in (Then.RETRY, Then.STUCK) for attempt in last.values()):
        return Told.NOT_YET
    promised = {attempt.handed_to_row for attempt in of_alert if attempt.handed_to == recipient}
    return Told.NOT_YET if promised - last.keys() else Told.NO
