"""A refused message, with as much as can be read of it, so that it belongs to its subject's history."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, TypeVar

from monitor.events.binding import glimpse_letter
from monitor.events.canonical import canonical
from monitor.events.envelope import Reason, Refused
from monitor.events.scalars import read_instant, read_when, read_whole, read_word, visible

Pairs = tuple[tuple[str, bytes], ...]
T = TypeVar("T")

_AGAIN: Final = "Correct the message and send it again with a higher record_version."
ADVICE: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.MALFORMED_JSON: "Send it again as strict JSON in UTF-8.",
        Reason.NOT_CLOUDEVENT: "Send it again as a CloudEvent 1.0 with specversion, id, source, type, subject, time.",
        Reason.UNKNOWN_TYPE: "Use a type of the catalogue (docs/events.md).",
        Reason.MISSING_REASON: "Say why the record changed, in reason, and send it again with a higher record_version.",
        Reason.UNIT_UNKNOWN: "Send it again with its UCUM unit and a higher record_version.",
        Reason.FUTURE: "Check the clocks and the date; send it again with a higher record_version.",
        Reason.TOO_LARGE: "Send a smaller message, without attachments.",
    }
)


def refuse(reason: Reason, detail: str, raw: bytes, headers: Pairs) -> Refused:
    """Put a refusal together. Never raises."""
    letter = glimpse_letter(raw, headers)
    names, data = letter.attributes, letter.data if isinstance(letter.data, dict) else {}
    refused = Refused(
        reason=reason,
        detail=visible(f"{detail}. {ADVICE.get(reason, _AGAIN)}"),
        raw=raw,
        subject=_try(read_word, names.get("subject")),
        time=_try(read_instant, names.get("time")),
        source=_try(read_word, names.get("source")),
        id=_try(read_word, names.get("id")),
        type=_try(read_word, names.get("type")),
        record_id=_try(read_word, data.get("record_id")),
        record_version=_version(data.get("record_version")),
        effective_at=_try(read_when, data.get("effective_at")),
        delivery_key=refusal_key(raw, headers),
        stored="",
        headers=headers,
    )
    return replace(refused, stored=_keep(refused))


def restore_refused(kept: Mapping[str, Any], stored: str) -> Refused:
    """The refusal that `stored` holds; `kept` is its JSON."""
    return Refused(
        reason=Reason(kept["reason"]),
        detail=kept["detail"],
        raw=_as_bytes(kept["raw"]),
        subject=kept["subject"],
        time=_try(read_instant, kept["time"]),
        source=kept["source"],
        id=kept["id"],
        type=kept["type"],
        record_id=kept["record_id"],
        record_version=kept["record_version"],
        effective_at=_try(read_when, kept["effective_at"]),
        delivery_key=kept["delivery_key"],
        stored=stored,
        headers=tuple((name, _as_bytes(value)) for name, value in kept["headers"]),
    )


def _keep(refused: Refused) -> str:
    fields = {field.name: getattr(refused, field.name) for field in dataclass_fields(refused)}
    del fields["stored"]
    headers = [[name, _as_text(value)] for name, value in refused.headers]
    return canonical({**fields, "raw": _as_text(refused.raw), "headers": headers})


def refusal_key(raw: bytes, headers: Pairs) -> str:
    """What tells a redelivery of a message that is refused, or was before a mend (SHA-256, hex)."""
    digest = hashlib.sha256(raw)
    for name, value in sorted(headers):
        digest.update(f"{len(name)}:{len(value)}:{name}".encode(errors="replace") + value)
    return digest.hexdigest()


def _as_text(raw: bytes) -> str | dict[str, str]:
    """Bytes as JSON can hold them: the text itself if it is UTF-8, else base64."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode()}


def _as_bytes(text: Any) -> bytes:
    """The bytes that `_as_text` wrote down."""
    return base64.b64decode(text["base64"]) if isinstance(text, dict) else str(text).encode()


def _try(read: Callable[[object], T], value: object) -> T | None:
    try:
        return read(value)
    except (ValueError, ArithmeticError):
        return None


def _version(value: object) -> int | None:
    version = _try(read_whole, value)
    return version if version is not None and version >= 1 else None
