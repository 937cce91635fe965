"""A notice in the outbox: all the relay needs to send it, written when the alert was, in the same transaction."""

import hashlib
import json
from dataclasses import asdict, dataclass
from uuid import UUID, uuid5

from monitor.notify.ports import Notice

# Ids of messages are derived from what is said and to whom: a row that is written again is the same row.
_MESSAGES = UUID("6c2f7a52-8d3e-5b0a-9c41-2f1d0b7e5a90")


def message_id(*parts: str) -> str:
    """The id of a message, the same for the same parts."""
    return str(uuid5(_MESSAGES, "\x1f".join(parts)))


@dataclass(frozen=True, slots=True)
class QueuedNotice:
    """A notice for one recipient.

    `only_if_told`: send it only to somebody who got an earlier notice of this alert. `fallback`: whom to tell, in turn,
    where this recipient cannot be reached after `attempts`, each with the channel it goes by.
    """

    alert_id: str
    rule: str
    change: str
    title: str
    body: str
    only_if_told: bool
    attempts: int
    fallback: tuple[tuple[str, str], ...] = ()  # (recipient, channel)

    @property
    def notice(self) -> Notice:
        """What is to be sent."""
        return Notice(self.title, self.body)

    @property
    def digest(self) -> str:
        """SHA-256 of the text, for the receipt: proof of what was said without keeping it twice."""
        return hashlib.sha256(f"{self.title}\n{self.body}".encode()).hexdigest()

    def to_payload(self) -> str:
        """Canonical JSON."""
        return canonical(asdict(self))

    @classmethod
    def from_payload(cls, payload: str) -> "QueuedNotice":
        """Read back what `to_payload` wrote."""
        fields = json.loads(payload)
        return cls(**{**fields, "fallback": tuple((name, channel) for name, channel in fields["fallback"])})


def canonical(value: object) -> str:
    """JSON with sorted keys and no blanks, as the log stores it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
