"""What goes to the topic `safety.quarantine`: the message as it came, with headers saying why and from where."""

from typing import Final

from monitor.events.envelope import Refused

PREFIX: Final = "quarantine_"  # keeps our headers apart from those the message came with


def quarantine_headers(refused: Refused, *, topic: str, partition: int, offset: int) -> list[tuple[str, bytes]]:
    """The headers of a quarantined message: its own, then ours (`quarantine_reason`, `_detail`, where it was read)."""
    ours = {
        "reason": refused.reason.value,
        "detail": refused.detail,
        "topic": topic,
        "partition": str(partition),
        "offset": str(offset),
    }
    return [*refused.headers, *((f"{PREFIX}{name}", text.encode(errors="replace")) for name, text in ours.items())]
