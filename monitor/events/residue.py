"""What is left of a message when its free text is erased: all that a rule reads, so that nothing is decided otherwise.

Kept are the identity of the record, times, numbers, answers and terms of closed lists, and the words by which results
are grouped. Everything else goes: a text is replaced by a mark, what no model knows is left out. Equal texts must get
equal marks and others other ones, for two contents of one version are a conflict, and the same twice is none. Pure.
"""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from typing import Any, Final, get_args

from pydantic import BaseModel

from monitor.events.canonical import bare, canonical
from monitor.events.catalogue import TYPES
from monitor.events.refusal import restore_refused
from monitor.events.scalars import looks_like_number, read_when
from monitor.events.stored import READ

Mark = Callable[[str], str]
Text = str | None

ATTRIBUTES: Final = frozenset(
    {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data", READ}
)
"""Of the envelope; what else a sender may have put there goes."""

READ_BY_RULES: Final = frozenset(
    {
        "record_id", "alert_id", "code", "specimen", "comparator", "unit", "lab", "method_version", "target", "lineage",
        "method", "donor_type", "graft_source", "conditioning", "sex", "ctcae_version", "reported_grade",
    }
)  # fmt: skip
"""Texts that identify or group: identifiers and terms by the contract (docs/events.md), not notes."""

KNOWN_WORDS: Final[Mapping[str, frozenset[str]]] = {
    "outcome": frozenset({"resolved"}),
    "value": frozenset({"positive", "negative"}),
}
"""Free texts of which rules know some values."""


def residue(stored: str, mark: Mark) -> str:
    """What is left of a stored event or refusal. Raises ValueError for a text that is neither."""
    kept: dict[str, Any] = json.loads(stored, parse_float=bare)
    if "specversion" not in kept:
        return _refusal(stored, kept, mark)
    model = TYPES[kept["type"]].model
    left = {name: item for name, item in kept.items() if name in ATTRIBUTES}
    return canonical({**left, "data": _fields(model, kept["data"], mark)})


def _refusal(stored: str, kept: dict[str, Any], mark: Mark) -> str:
    restore_refused(kept, stored)  # raises for what is none
    return canonical({**kept, "raw": mark(str(kept["raw"])), "headers": [], "detail": mark(kept["detail"])})


def _fields(model: type[BaseModel], sent: Mapping[str, Any], mark: Mark) -> dict[str, Any]:
    types = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    return {name: _field(name, types[name], item, mark) for name, item in sent.items() if name in types}


def _field(name: str, annotation: Any, item: Any, mark: Mark) -> Any:
    if isinstance(item, str):
        return item if _kept(name, annotation, item) else mark(item)
    model = next((part for part in _parts(annotation) if isinstance(part, type) and issubclass(part, BaseModel)), None)
    if isinstance(item, list):
        return [_fields(model, each, mark) for each in item if model is not None and isinstance(each, Mapping)]
    if isinstance(item, Mapping):
        if model is not None:
            return _fields(model, item, mark)
        return {word: each for word, each in item.items() if word in _parts(annotation) and not isinstance(each, str)}
    return item


def _kept(name: str, annotation: Any, item: str) -> bool:
    """Is a text no free text: a term of a list, or the digits of a number or a time?"""
    if name in READ_BY_RULES or item in KNOWN_WORDS.get(name, ()) or item in _parts(annotation):
        return True
    return annotation not in (str, Text) and (looks_like_number(item.strip()) or _is_time(item))


def _is_time(item: str) -> bool:
    try:
        read_when(item)
    except ValueError:
        return False
    return True


@cache
def _parts(annotation: Any) -> tuple[Any, ...]:
    """A type and all that it is made of, the words of its lists among them."""
    inner = [part for each in get_args(annotation) for part in _parts(each)]
    words = list(annotation) if isinstance(annotation, type) and issubclass(annotation, StrEnum) else []
    return (annotation, *words, *inner)
