"""Results that a laboratory changes its mind about: preliminary first, corrected later, or withdrawn as an error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

from monitor.generate.message import Message

PRELIMINARY: Final = 0.03
CORRECTED: Final = 0.012
RETRACTED: Final = 0.004
VALUE: Final = {
    "safety.lab.resulted.v1": "value",
    "safety.mrd.resulted.v1": "value",
    "safety.chimerism.resulted.v1": "donor_percent",
}


def revise(messages: Iterable[Message], rng: Random) -> Iterator[Message]:
    """Let some results come in two versions; each later version has the same record and a reason."""
    for message in messages:
        field = VALUE.get(message.type)
        if field is None or message.data["record_version"] != 1:
            yield message
            continue
        draw = rng.random()
        if draw < PRELIMINARY:
            yield replace(message, data={**message.data, "status": "preliminary"})
            yield _version(message, {"status": "final"}, hours=rng.randint(2, 48))
        elif draw < PRELIMINARY + CORRECTED:
            yield message
            change = {field: _nearby(message.data.get(field), rng), "reason": "transcription error"}
            yield _version(message, {"status": "corrected"} | change, hours=rng.randint(12, 120))
        elif draw < PRELIMINARY + CORRECTED + RETRACTED:
            yield message
            wrong = {"status": "entered-in-error", "reason": "sample belonged to another patient"}
            yield _version(message, wrong, hours=rng.randint(24, 240))
        else:
            yield message


def _version(message: Message, change: Mapping[str, Any], *, hours: int) -> Message:
    data = {**message.data, "record_version": 2, **{key: value for key, value in change.items() if value is not None}}
    number = f"{message.data['record_id']}-2"
    return replace(message, id=number, issued_at=message.issued_at + timedelta(hours=hours), data=data)


def _nearby(value: Any, rng: Random) -> Any:
    """A slip of a few per cent, digits kept; a value that is no number stays."""
    if not isinstance(value, str) or not value.replace(".", "", 1).isdigit():
        return value
    number = Decimal(value)
    return str((number * Decimal(rng.randint(94, 99)) / 100).quantize(number))
