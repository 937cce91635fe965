"""The two ways a CloudEvent travels over Kafka: structured (all in the value) and binary (attributes in headers)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cloudevents.core.bindings.common import CONTENT_TYPE_HEADER, DATACONTENTTYPE_ATTR
from cloudevents.core.bindings.kafka import CE_PREFIX

from monitor.events.envelope import Reason
from monitor.events.parse import AbsurdNumberError, NotJsonError, VastError, glimpse, read_json
from monitor.events.plausible import NotAcceptedError

STRUCTURED: Final = "application/cloudevents"
UNREAD: Final = "safety-unread"  # a header of ours: the message could not be taken from the broker, and why
MAX_WHY: Final = 200  # characters; a sender can write such a header, too
Headers = Mapping[str, bytes] | Sequence[tuple[str, bytes]]


@dataclass(frozen=True)
class Letter:
    """A message taken apart: the envelope's attributes as sent, and the data (None: there is none)."""

    attributes: Mapping[str, Any]
    data: Any


def header_pairs(headers: Headers) -> tuple[tuple[str, bytes], ...]:
    """Headers in one shape; a header without a value has an empty one."""
    pairs: Iterable[tuple[str, bytes]] = headers.items() if isinstance(headers, Mapping) else headers
    return tuple((name, bytes(value or b"")) for name, value in pairs)


def unread(headers: tuple[tuple[str, bytes], ...]) -> str | None:
    """Why the message could not be taken from the broker; None if it was."""
    return next((why.decode(errors="replace")[:MAX_WHY] for name, why in headers if name == UNREAD), None)


def open_letter(raw: bytes, headers: tuple[tuple[str, bytes], ...]) -> Letter:
    """Take a message apart, in whichever mode it came.

    Raises NotAcceptedError: malformed_json, too_large, not_cloudevent, invalid_data (a number that nothing measures).
    """
    try:
        if is_binary(headers):
            return Letter(_attributes(headers), read_json(raw))
        value = read_json(raw)
    except NotJsonError as error:
        raise NotAcceptedError(Reason.MALFORMED_JSON, str(error)) from None
    except VastError as error:
        raise NotAcceptedError(Reason.TOO_LARGE, str(error)) from None
    except AbsurdNumberError as error:
        raise NotAcceptedError(Reason.INVALID_DATA, str(error)) from None
    if not isinstance(value, dict):
        raise NotAcceptedError(Reason.NOT_CLOUDEVENT, "not one JSON object (batches are not taken)")
    data = value.pop("data", None)
    return Letter(value, data)


def glimpse_letter(raw: bytes, headers: tuple[tuple[str, bytes], ...]) -> Letter:
    """As much as can be read of a message that is refused. Never raises."""
    fields = glimpse(raw)
    if not is_binary(headers):
        return Letter(fields, fields.get("data"))
    try:
        return Letter(_attributes(headers), fields)
    except NotAcceptedError:
        return Letter({}, fields)


def is_binary(headers: tuple[tuple[str, bytes], ...]) -> bool:
    """Whether the attributes are in the headers. The content type decides; without it, a `ce_` header does."""
    if not headers:
        return False
    names = {name.lower(): value for name, value in headers}
    if names.get(CONTENT_TYPE_HEADER, b"").strip().lower().startswith(STRUCTURED.encode()):
        return False
    return any(name.startswith(CE_PREFIX) for name in names)


def _attributes(headers: tuple[tuple[str, bytes], ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for header, value in headers:
        name = header.lower()
        if name == CONTENT_TYPE_HEADER:
            name = DATACONTENTTYPE_ATTR
        elif name.startswith(CE_PREFIX):
            name = name.removeprefix(CE_PREFIX)
        else:
            continue
        try:
            text = value.decode()
        except UnicodeDecodeError:
            raise NotAcceptedError(Reason.NOT_CLOUDEVENT, f"header {header[:40]}: not UTF-8") from None
        if found.setdefault(name, text) != text:
            raise NotAcceptedError(Reason.NOT_CLOUDEVENT, f"header {header[:40]}: there twice")
    return found
