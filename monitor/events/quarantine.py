"""What goes to the topic `safety.quarantine`: the message as it came, with headers saying why and from where."""

from typing import Final

from monitor.events.envelope import Refused

PREFIX: Final = "quarantine_"  # keeps our headers apart from those the message came with
OURS: Final = tuple(f"{PREFIX}{name}" for name in ("reason", "detail", "topic", "partition", "offset"))


def quarantine_headers(refused: Refused, *, topic: str, partition: int, offset: int) -> list[tuple[str, bytes]]:
    """The headers of a quarantined message: its own, then ours (`quarantine_reason`, `_detail`, where it was read)."""
    texts = (refused.reason.value, refused.detail, topic, str(partition), str(offset))
    return [*refused.headers, *((name, text.encode(errors="replace")) for name, text in zip(OURS, texts, strict=True))]
