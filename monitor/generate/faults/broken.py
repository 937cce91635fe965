"""Messages that must be refused: a first transmission that went wrong, just before the sound one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from monitor.generate.message import Line, Message, stamp, written

SHARE: Final = 0.005
LAB: Final = "safety.lab.resulted.v1"

Breaker = Callable[[dict[str, Any]], str]


def _from_the_future(envelope: dict[str, Any]) -> str:
    ahead = datetime.fromisoformat(envelope["time"]) + timedelta(days=9)
    return written(envelope | {"data": envelope["data"] | {"effective_at": stamp(ahead)}})


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


# (reason of the quarantine, how the message is broken), by what is broken
ANY: Final = (
    ("malformed_json", _cut),
    ("not_cloudevent", _without_subject),
    ("unknown_type", _unknown_type),
    ("invalid_data", _without_version),
    ("missing_reason", _without_reason),
    ("future", _from_the_future),
)
MEASURED: Final = (
    ("unit_unknown", _without_unit),
    ("unit_unknown", _unknown_unit),
    ("unit_mismatch", _foreign_unit),
)
COUNTED: Final = (("implausible", _implausible),)
COUNTS: Final = ("751-8", "777-3")


def write(messages: Iterable[Message], rng: Random) -> Iterator[Line]:
    """Write each message as a line; before some of them stands a broken transmission of its own record."""
    for message in messages:
        if rng.random() < SHARE:
            reason, breaker = rng.choice(_breakers(message))
            envelope = message.envelope()
            envelope["id"] = f"{message.id}-x"
            yield Line(message.issued_at, breaker(envelope), reason)
        yield Line(message.issued_at, message.line())


def _breakers(message: Message) -> tuple[tuple[str, Breaker], ...]:
    if message.type != LAB or "unit" not in message.data:
        return ANY
    return MEASURED + COUNTED if message.data["code"] in COUNTS else ANY + MEASURED
