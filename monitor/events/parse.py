"""Strict JSON: what cannot be read in one way only is not read at all (RFC 8259; RFC 7493 for what it leaves open)."""

import json
import re
from decimal import Decimal
from typing import Any, Final

from monitor.events.scalars import is_bounded

MAX_DEPTH: Final = 32  # our events have four levels; deeper is an attack or an accident
MAX_VALUES: Final = 4096  # our largest event has some sixty; a quarter of a megabyte of `[],` takes a second to read
MAX_READ: Final = 4 * 1024 * 1024  # bytes; above it not even the subject of a refused message is looked for

_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]|,', re.DOTALL)  # strings whole: what is in them does not count
QUOTE: Final = ord('"')
COMMA: Final = ord(",")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_LONE = re.compile("[\ud800-\udfff]")


class NotJsonError(ValueError):
    """The text is not JSON, or can be read in two ways."""


class VastError(ValueError):
    """More values than any event has: to read them would keep the others waiting."""


class AbsurdNumberError(ValueError):
    """A number beyond the digits or powers of ten that are read."""


def read_json(raw: bytes) -> Any:
    """The value, with fractions and powers of ten as Decimal. Raises NotJsonError, VastError, AbsurdNumberError."""
    _refuse_vast(raw)
    try:
        value = _STRICT.decode(raw.decode("utf-8-sig"))
    except AbsurdNumberError:
        raise
    except UnicodeDecodeError as error:
        raise NotJsonError("the text is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise NotJsonError(f"not JSON: {error}") from error
    if _SURROGATE.search(raw):
        _refuse_lone_surrogates(value)
    return value


def glimpse(raw: bytes) -> dict[str, Any]:
    """What can be read of a message that is refused: its fields, without those said twice in two ways. Never raises."""
    if len(raw) > MAX_READ:
        return {}
    try:
        _refuse_vast(raw)
        value = _LENIENT.decode(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _refuse_vast(raw: bytes) -> None:
    """Bounds the work of reading before it begins. Raises NotJsonError if nested too deep, VastError."""
    brackets = raw.count(b"{") + raw.count(b"[")
    if brackets <= MAX_DEPTH and brackets + raw.count(b",") <= MAX_VALUES:
        return
    depth = values = 0
    for token in _TOKENS.finditer(raw):
        first = raw[token.start()]
        if first in b"]}":
            depth -= 1
        elif first != QUOTE:
            values += 1
            depth += first != COMMA
            if depth > MAX_DEPTH:
                raise NotJsonError(f"nested deeper than {MAX_DEPTH} levels")
            if values > MAX_VALUES:
                raise VastError(f"more than {MAX_VALUES} values")


def _refuse_lone_surrogates(value: Any) -> None:
    if isinstance(value, str):
        if _LONE.search(value):
            raise NotJsonError("half of a surrogate pair: a text that cannot be written down")
    elif isinstance(value, dict):
        for name, item in value.items():
            _refuse_lone_surrogates(name)
            _refuse_lone_surrogates(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_lone_surrogates(item)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise NotJsonError("a field is there twice")
    return fields


def _agreed(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    torn = set()
    for name, value in pairs:
        if name in fields and fields[name] != value:
            torn.add(name)
        fields[name] = value
    return {name: value for name, value in fields.items() if name not in torn}


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text) if len(text) <= 64 else None
    except ArithmeticError:  # a power of ten beyond what a Decimal can hold
        number = None
    if number is None or not is_bounded(number):
        raise AbsurdNumberError(f"a number beyond what any instrument gives: {text[:40]}")
    return number


def _whole(text: str) -> int:
    if len(text) > 30:
        raise AbsurdNumberError(f"a number beyond what any instrument gives: {text[:40]}")
    return int(text)


def _no_constant(text: str) -> Any:
    raise NotJsonError(f"{text} is no JSON number")


_STRICT = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_number, parse_int=_whole, parse_constant=_no_constant
)
_LENIENT = json.JSONDecoder(object_pairs_hook=_agreed, parse_float=str, parse_int=str, parse_constant=str)
