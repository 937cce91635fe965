"""The one door: bytes become a valid event, or a refusal with its reason. Nothing here raises for what was sent."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from monitor.events.binding import Headers, Letter, header_pairs, open_letter, unread
from monitor.events.canonical import content, utc
from monitor.events.catalogue import CLOCK_MODEL, CLOCK_TYPE, TYPES
from monitor.events.envelope import ClockAdvanced, Reason, Received, Refused
from monitor.events.plausible import Derived, NotAcceptedError, derive, refuse_future
from monitor.events.record import RETRACTED, Frozen, RecordBlock
from monitor.events.refusal import refuse, restore_refused
from monitor.events.scalars import read_instant, read_word
from monitor.events.stored import READMITS, as_sent, readmitting, store, take_out, unpack

MAX_BYTES: Final = 262_144  # 256 KiB, events.md


def decode(
    value: bytes,
    *,
    headers: Headers = (),
    topic: str | None = None,
    site_timezone: ZoneInfo,
    max_bytes: int = MAX_BYTES,
) -> Received | Refused | ClockAdvanced:
    """Read one Kafka message, in structured or binary mode. Never raises.

    `topic` is where it was found (None: in a file), where its type must belong: who may send where is the broker's to
    say, and nobody may get round it. `site_timezone` says on which local day a fact without a time of day was;
    `max_bytes` bounds value and headers. The message's key is not asked for: the subject counts. Clause: events.md,
    "Envelope" and the reasons for quarantine.
    """
    raw, pairs = bytes(value or b""), header_pairs(headers)
    if (why := unread(pairs)) is not None:
        return refuse(Reason.TOO_LARGE, why, raw, pairs)
    if (size := len(raw) + sum(len(name) + len(content) for name, content in pairs)) > max_bytes:
        return refuse(Reason.TOO_LARGE, f"{size} bytes; {max_bytes} are taken", raw, pairs)
    try:
        return _read(open_letter(raw, pairs), topic, site_timezone)
    except NotAcceptedError as verdict:
        return refuse(verdict.reason, verdict.detail, raw, pairs)
    except Exception as error:  # a bug of ours: one message waits in quarantine, seen, and the others go on
        return refuse(Reason.INVALID_DATA, f"it could not be read ({type(error).__name__}, our fault)", raw, pairs)


def restore(stored: str) -> Received | Refused:
    """What was stored, read without being judged again: a stored fact is a fact.

    Raises ValueError for a text that `decode` did not make.
    """
    kept = unpack(stored)
    if "specversion" not in kept:
        return restore_refused(kept, stored)
    derived, refusal = take_out(kept), kept.pop(READMITS, None)
    letter = Letter({name: item for name, item in kept.items() if name != "data"}, kept["data"])
    try:
        identity = _identity(letter.attributes)
        data = model_of(TYPES[identity.type].model, letter.data)
    except (NotAcceptedError, KeyError) as error:
        raise ValueError(f"not an event that was stored: {error}") from error
    event = receive(letter, identity, data, derived)
    return event if refusal is None else readmit(event, refusal)


def readmit(event: Received, refusal: str) -> Received:
    """The event as one that was refused at first; `refusal` is the delivery key of that refusal."""
    return replace(event, readmits=refusal, stored=readmitting(event.stored, refusal))


def encode(event: Received) -> bytes:
    """The event in structured mode, as it was sent."""
    return as_sent(event.stored).encode()


def _read(letter: Letter, topic: str | None, site: ZoneInfo) -> Received | ClockAdvanced:
    names = letter.attributes
    if names.get("specversion") != "1.0":
        raise NotAcceptedError(Reason.NOT_CLOUDEVENT, "specversion: it must be there and be 1.0")
    if names.get("type") == CLOCK_TYPE:
        return _read_clock(letter)
    identity = _identity(names)
    kind = TYPES.get(identity.type)
    if kind is None:
        raise NotAcceptedError(Reason.UNKNOWN_TYPE, f"type: {identity.type} is not in the catalogue")
    if topic not in (None, kind.topic):
        raise NotAcceptedError(Reason.UNKNOWN_TYPE, f"type: {identity.type} belongs on {kind.topic}: send it there")
    data = model_of(kind.model, letter.data)
    derived = derive(data)
    refuse_future(data, identity.time, site)
    return receive(letter, identity, data, derived)


def _read_clock(letter: Letter) -> ClockAdvanced:
    names = letter.attributes
    source, id_, _ = _word(names, "source"), _word(names, "id"), _time(names)
    return ClockAdvanced(now=model_of(CLOCK_MODEL, letter.data).now, source=source, id=id_)


class Identity(NamedTuple):
    """The envelope's attributes that every event of a patient has."""

    source: str
    id: str
    type: str
    subject: str
    time: datetime


def _identity(names: Mapping[str, Any]) -> Identity:
    source, id_, type_, subject = (_word(names, name) for name in ("source", "id", "type", "subject"))
    return Identity(source, id_, type_, subject, _time(names))


def _word(names: Mapping[str, Any], name: str) -> str:
    try:
        return read_word(names.get(name))
    except ValueError as error:
        wrong = f"it is {error}" if name in names else "it is missing"
        raise NotAcceptedError(Reason.NOT_CLOUDEVENT, f"{name}: {wrong}") from None


def _time(names: Mapping[str, Any]) -> datetime:
    try:
        return read_instant(names.get("time"))
    except ValueError as error:
        raise NotAcceptedError(Reason.NOT_CLOUDEVENT, f"time: {error}") from None


def receive(letter: Letter, identity: Identity, data: Any, derived: Derived) -> Received:
    """Put a valid event together: what it says, what was worked out of it, and the texts that stand for it."""
    source, id_, type_, subject, time = identity
    said = {"type": type_, "subject": subject, "data": data.model_dump(by_alias=True, exclude_none=True)}
    same = content(said)
    key = hashlib.sha256("\0".join((source, id_, utc(time), same)).encode()).hexdigest()  # none of them can hold NUL
    return Received(
        source=source,
        id=id_,
        type=type_,
        subject=subject,
        time=time,
        data=data.model_copy(update=dict(derived)) if derived else data,
        content=same,
        stored=store(letter, data, derived),
        delivery_key=key,
    )


def model_of(model: type[Frozen], data: Any) -> Any:
    """The data as its model reads it. Raises NotAcceptedError: invalid_data, missing_reason.

    A retraction that cannot be read as its type is read by its record block alone: it must not be lost.
    """
    if not isinstance(data, dict):
        raise NotAcceptedError(Reason.INVALID_DATA, "data: it must be there and be a JSON object")
    if None in data.values() or not model.derived.isdisjoint(data):  # null is absent; what we work out is not taken
        data = {name: item for name, item in data.items() if item is not None and name not in model.derived}
    try:
        return model.model_validate(data)
    except ValidationError as error:
        if issubclass(model, RecordBlock) and data.get("status") in tuple(RETRACTED):
            return model_of(RecordBlock, data) if model is not RecordBlock else _judge(error)
        return _judge(error)


def _judge(error: ValidationError) -> None:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "missing_reason":
        raise NotAcceptedError(Reason.MISSING_REASON, f"reason: {first['msg']}") from None
    where = ".".join(str(part) for part in ("data", *first["loc"]))
    raise NotAcceptedError(Reason.INVALID_DATA, f"{where[:80]}: {first['msg'].removeprefix('Value error, ')}") from None
