"""Canonical JSON: one text for one content, in one place (sorted keys, no spaces, UTF-8, no floats)."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

# A number that must stand in the text as it is (json.dumps can only write floats) goes through it as a string between
# two lone surrogates, which no decoded text can hold: the reader refuses them. The quotes then come off.
_EDGE: Final = "\udc00"
_OPEN: Final = f'"{_EDGE}'
_CLOSE: Final = f'{_EDGE}"'


def bare(number: str) -> str:
    """Mark a number's digits so that `canonical` writes them without quotes."""
    return f"{_EDGE}{number}{_EDGE}"


def plain(number: Decimal) -> str:
    """The number without exponent or idle zeros: `32`, `32.0` and `3.2E1` are one."""
    if not number:
        return "0"
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def utc(moment: datetime) -> str:
    """RFC 3339 in UTC with `Z`; fractions of a second only where there are any."""
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def _as_text(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return utc(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no canonical form for {type(value).__name__}")


def _as_content(value: object) -> str:
    if isinstance(value, Decimal):
        return bare(plain(value))
    return _as_text(value)


def _encoder(default: Callable[[Any], Any]) -> json.JSONEncoder:
    return json.JSONEncoder(
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
        allow_nan=False,
        check_circular=False,
        default=default,
    )


_TEXTS = _encoder(_as_text)
_CONTENTS = _encoder(_as_content)


def canonical(value: object) -> str:
    """Canonical JSON with decimals as strings digit for digit and times in UTC. Raises TypeError for other types."""
    return _unmark(_TEXTS.encode(value))


def content(value: Mapping[str, object]) -> str:
    """Canonical JSON in which equal numbers and equal instants are equal texts: equality of content."""
    return _unmark(_CONTENTS.encode(value))


def _unmark(text: str) -> str:
    return text.replace(_OPEN, "").replace(_CLOSE, "") if _EDGE in text else text
