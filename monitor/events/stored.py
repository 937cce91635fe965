"""The text of an event as the log keeps it: the envelope as it was sent, and what was worked out of it at the time."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel

from monitor.events.binding import Letter
from monitor.events.canonical import bare, canonical
from monitor.events.lab import Analyte

READ: Final = "_read"  # no CloudEvents attribute can have this name
READMITS: Final = "_readmits"


def store(letter: Letter, data: BaseModel, derived: Mapping[str, Any]) -> str:
    """Canonical JSON of the envelope; decimals of known fields are strings digit for digit.

    `_read` holds what was worked out (a converted quantity), so that a later reader need not judge again.
    """
    envelope = {**letter.attributes, "data": _as_sent(letter.data, data)}
    for ours in (READ, READMITS):  # nobody sends them
        envelope.pop(ours, None)
    if derived:
        envelope[READ] = {name: item for name, item in derived.items() if item is not None}
    return canonical(envelope)


def _as_sent(raw: dict[str, Any], model: BaseModel) -> dict[str, Any]:
    """The data with the JSON numbers of unknown fields marked as such: no model would know them from strings."""
    fields = type(model).model_fields
    if all(name in fields for name in raw) and not any(isinstance(item, dict | list) for item in raw.values()):
        return raw
    return {name: _mark(item, getattr(model, name) if name in fields else None) for name, item in raw.items()}


def _mark(raw: Any, model: Any) -> Any:
    if isinstance(raw, Decimal):
        return raw if model is not None else bare(str(raw))
    if isinstance(raw, dict):
        return _as_sent(raw, model) if isinstance(model, BaseModel) else {n: _mark(i, None) for n, i in raw.items()}
    if isinstance(raw, list):
        models = model if isinstance(model, tuple) and len(model) == len(raw) else [None] * len(raw)
        return [_mark(item, each) for item, each in zip(raw, models, strict=True)]
    return raw


_EXACT = json.JSONDecoder(parse_float=Decimal)
_DIGITS = json.JSONDecoder(parse_float=bare)
_DERIVED: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "analyte": Analyte,
        "quantity": Decimal,
        "reference_high": Decimal,
        "positive": bool,
        "donor_percent": Decimal,
        "unit": str,
    }
)


def unpack(stored: str) -> dict[str, Any]:
    """The JSON of a stored text. Raises ValueError."""
    kept = _EXACT.decode(stored)
    if isinstance(kept, dict):
        return kept
    raise ValueError("not an event that was stored")


def take_out(kept: dict[str, Any]) -> dict[str, Any]:
    """Remove what was worked out at the time, and return it."""
    return {name: _DERIVED[name](item) for name, item in kept.pop(READ, {}).items() if name in _DERIVED}


def readmitting(stored: str, refusal: str) -> str:
    """The text of an event that was refused at first; digits stay as they are."""
    return canonical({**_DIGITS.decode(stored), READMITS: refusal})


def as_sent(stored: str) -> str:
    """The envelope alone, as it was sent: what was worked out is left out, digits stay as they are."""
    envelope = _DIGITS.decode(stored)
    for ours in (READ, READMITS):
        envelope.pop(ours, None)
    return canonical(envelope)
