"""How single values are read: numbers digit for digit, times with their offset, words stripped.

Everything here is an annotated type for the models of this package. A value that could be read in two ways is refused
(a naive time, `"yes"` for a boolean, a float); a value that can be read in one way only is accepted (`"1.5"`, `2.0` as
a whole number). Clause: events.md, "Envelope".
"""

import re
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import PlainValidator, Strict, WithJsonSchema
from pydantic_core import PydanticCustomError

MAX_DIGITS: Final = 30  # significant digits of a number: no instrument gives more, and products stay exact in 60
MAX_EXPONENT: Final = 30  # powers of ten either way: cells per body are 1e14, a detection limit 1e-7
MAX_WORD: Final = 256  # characters of an identifier
MAX_TEXT: Final = 4000  # characters of a note or rationale
YEARS: Final = range(1900, 2200)  # outside it a date is a slip, and arithmetic on it may overflow

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,6})?", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_UNSEEN: Final = "\ufffd"  # stands where a character was that cannot be seen


def looks_like_number(text: str) -> bool:
    """Whether the text is one decimal number, such as `12`, `0.5` or `1e5`."""
    return _NUMBER.fullmatch(text) is not None


def is_bounded(number: Decimal) -> bool:
    """Whether the number is finite and within the digits and powers of ten that are read."""
    if not number.is_finite():
        return False
    return len(number.as_tuple().digits) <= MAX_DIGITS and abs(number.adjusted()) <= MAX_EXPONENT


def read_number(value: object) -> Decimal:
    """A JSON number or a string of one, digit for digit.

    Raises ValueError for anything else: a boolean, a float (its digits are lost already), NaN, absurd magnitudes.
    """
    number = _as_decimal(value)
    if number is None:
        raise ValueError("not a number")
    if not is_bounded(number):
        raise ValueError("a number beyond what any instrument gives")
    return number


def _as_decimal(value: object) -> Decimal | None:
    if isinstance(value, str):
        text = value.strip()
        return Decimal(text) if looks_like_number(text) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return value if isinstance(value, Decimal) else None


def read_whole(value: object) -> int:
    """A whole number: `2`, `"2"` and `2.0` are one; `2.5` is none. Raises ValueError."""
    if type(value) is int and abs(value) < 10**MAX_DIGITS:
        return value
    number = read_number(value)
    if number != number.to_integral_value():
        raise ValueError("not a whole number")
    return int(number)


def read_instant(value: object) -> datetime:
    """An RFC 3339 time with its offset, in UTC. Raises ValueError: a naive time is refused, not guessed."""
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, str) and _INSTANT.fullmatch(value.strip()):
        moment = datetime.fromisoformat(value.strip().upper())
    else:
        raise ValueError("not a time with its offset, such as 2025-06-12T03:20:11+08:00")
    if moment.utcoffset() is None:
        raise ValueError("a time without its offset")
    if moment.year not in YEARS:
        raise ValueError("a year that cannot be")
    return moment.astimezone(UTC)


def read_day(value: object) -> date:
    """A calendar date, `2025-06-12`. Raises ValueError."""
    if isinstance(value, date) and not isinstance(value, datetime):
        day = value
    elif isinstance(value, str) and _DAY.fullmatch(value.strip()):
        day = date.fromisoformat(value.strip())
    else:
        raise ValueError("not a date, such as 2025-06-12")
    if day.year not in YEARS:
        raise ValueError("a year that cannot be")
    return day


def read_when(value: object) -> date | datetime:
    """A time with its offset (in UTC), or a date where only the day is known. Raises ValueError."""
    if isinstance(value, datetime):
        return read_instant(value)
    if isinstance(value, date) or (isinstance(value, str) and len(value.strip()) == len("2025-06-12")):
        return read_day(value)
    return read_instant(value)


def read_word(value: object) -> str:
    """An identifier: not empty, every character visible, at most 256 of them. Raises ValueError.

    Two spellings that Unicode holds to be one text are one identifier (NFC). What cannot be seen is refused (controls,
    marks of direction, spaces of no width): a patient's facts would go to one who looks the same and is not.
    """
    word = value.strip() if isinstance(value, str) else ""
    if not word:
        raise ValueError("empty, or not a text")
    if len(word) > MAX_WORD:
        raise ValueError(f"longer than {MAX_WORD} characters")
    if not word.isprintable():
        raise ValueError("control or invisible characters in it")
    return word if word.isascii() else unicodedata.normalize("NFC", word)


def visible(text: str) -> str:
    """The text with a mark for each character that cannot be seen: nothing it says may steer a terminal or a mail."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _UNSEEN for letter in text)


def read_text(value: object) -> str | None:
    """A free text on one line; blank is absent (a blank `signed_by` signs nothing). Raises ValueError.

    The log keeps it as it was sent. Here its lines are joined: a second line could pass for one of our own.
    """
    if value is None:
        return None
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)  # a version sent as the number 5.0 is still a version
    if isinstance(value, str) and len(value) <= MAX_TEXT:
        return visible(" ".join(value.split())) or None
    raise ValueError(f"not a text of at most {MAX_TEXT} characters")


def _at_least(minimum: int, *, above: bool = False) -> Any:
    def read(value: object) -> Decimal:
        number = read_number(value)
        if number < minimum or (above and number == minimum):
            raise ValueError(f"must be {'above' if above else 'at least'} {minimum}")
        return number

    return PlainValidator(read)


def _within(low: int, high: int) -> Any:
    def read(value: object) -> int:
        number = read_whole(value)
        if not low <= number <= high:
            raise PydanticCustomError("out_of_range", "must be between {low} and {high}", {"low": low, "high": high})
        return number

    return PlainValidator(read)


_NUMBER_SCHEMA = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^[+-]?\d*\.?\d+([eE][+-]?\d+)?$"}]}
_WHEN_SCHEMA = {"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}


def _whole_schema(low: int, high: int | None) -> WithJsonSchema:
    whole: dict[str, Any] = {"type": "integer", "minimum": low}
    if high is not None:
        whole["maximum"] = high
    return WithJsonSchema({"anyOf": [whole, {"type": "string", "pattern": r"^\d+$"}]})


Number = Annotated[Decimal, PlainValidator(read_number), WithJsonSchema(_NUMBER_SCHEMA)]
Amount = Annotated[Decimal, _at_least(0), WithJsonSchema(_NUMBER_SCHEMA)]  # never negative
Dose = Annotated[Decimal, _at_least(0, above=True), WithJsonSchema(_NUMBER_SCHEMA)]  # what was given is above nothing
Flag = Annotated[bool, Strict()]  # JSON true or false: 1, "true" and "yes" are refused
Instant = Annotated[datetime, PlainValidator(read_instant), WithJsonSchema({"type": "string", "format": "date-time"})]
Day = Annotated[date, PlainValidator(read_day), WithJsonSchema({"type": "string", "format": "date"})]
When = Annotated[date | datetime, PlainValidator(read_when), WithJsonSchema(_WHEN_SCHEMA)]
Word = Annotated[str, PlainValidator(read_word), WithJsonSchema({"type": "string", "minLength": 1})]
Text = Annotated[str | None, PlainValidator(read_text), WithJsonSchema({"type": ["string", "number", "null"]})]
Ordinal = Annotated[int, _within(1, 10**6), _whole_schema(1, 10**6)]  # counted from 1
Version = Annotated[int, _within(1, 10**9), _whole_schema(1, 10**9)]
Score3 = Annotated[int, _within(0, 3), _whole_schema(0, 3)]
Score4 = Annotated[int, _within(0, 4), _whole_schema(0, 4)]
Stage1 = Annotated[int, _within(0, 1), _whole_schema(0, 1)]
Grade5 = Annotated[int, _within(1, 5), _whole_schema(1, 5)]
Year = Annotated[int, _within(1900, 2100), _whole_schema(1900, 2100)]
Ecog = Annotated[int, _within(0, 5), _whole_schema(0, 5)]
