"""Messages that must be refused: a first transmission that went wrong, just before the sound one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from random import Random
from typing import Any, Final

from monitor.generate.message import Line, Message, moment, written

SHARE: Final = 0.006
LAB: Final = "safety.lab.resulted.v1"

Breaker = Callable[[dict[str, Any]], str]


def _cut(envelope: dict[str, Any]) -> str:
    text = written(envelope)
    return text[: len(text) * 2 // 3]


def _without_subject(envelope: dict[str, Any]) -> str:
    return written({key: value for key, value in envelope.items() if key != "subject"})


def _unknown_type(envelope: dict[str, Any]) -> str:
    return written(envelope | {"type": "safety.vitals.measured.v1"})


def _without_version(envelope: dict[str, Any]) -> str:
    return written(envelope | {"data": {k: v for k, v in envelope["data"].items() if k != "record_version"}})


def _without_reason(envelope: dict[str, Any]) -> str:
    return written(envelope | {"data": envelope["data"] | {"status": "corrected"}})


def _without_unit(envelope: dict[str, Any]) -> str:
    return written(envelope | {"data": {k: v for k, v in envelope["data"].items() if k != "unit"}})


def _unknown_unit(envelope: dict[str, Any]) -> str:
    return written(envelope | {"data": envelope["data"] | {"unit": "10^9 per L"}})


def _foreign_unit(envelope: dict[str, Any]) -> str:
    return written(envelope | {"data": envelope["data"] | {"unit": "mm[Hg]"}})


def _implausible(envelope: dict[str, Any]) -> str:
    return written(envelope | {"data": envelope["data"] | {"value": "31000"}})


# (reason of the quarantine, how the message is broken, the laboratory code it needs: None for any message)
BREAKERS: Final[tuple[tuple[str, Breaker, str | None], ...]] = (
    ("malformed_json", _cut, None),
    ("not_cloudevent", _without_subject, None),
    ("unknown_type", _unknown_type, None),
    ("invalid_data", _without_version, None),
    ("missing_reason", _without_reason, None),
    ("unit_unknown", _without_unit, "777-3"),
    ("unit_unknown", _unknown_unit, "777-3"),
    ("unit_mismatch", _foreign_unit, "777-3"),
    ("implausible", _implausible, "777-3"),
)


def write(messages: Iterable[Message], rng: Random) -> Iterator[Line]:
    """Write each message as a line; before some of them stands a broken transmission of its own record."""
    for message in messages:
        if rng.random() < SHARE:
            yield _broken(message, rng)
        yield Line(message.issued_at, message.line())


def _broken(message: Message, rng: Random) -> Line:
    code = message.data.get("code") if message.type == LAB else None
    reason, breaker, _ = rng.choice([entry for entry in BREAKERS if entry[2] in (None, code)])
    envelope = message.envelope()
    envelope["id"] = f"{message.id}-x"
    if rng.random() < FUTURE:
        ahead = message.issued_at + timedelta(days=rng.randint(1, 30))
        envelope["data"] = envelope["data"] | {"effective_at": moment(ahead)}
        return Line(message.issued_at, written(envelope), "future")
    return Line(message.issued_at, breaker(envelope), reason)


FUTURE: Final = 0.1  # share of the broken messages that claim to come from the future
