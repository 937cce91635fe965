"""Erased texts taken out of what was made from them: alerts, events and notices that wait. Pure."""

import json
from collections.abc import Mapping
from typing import Any, Final

from monitor.events.canonical import canonical

BODY: Final = "What this notice said was redacted. `safety-monitor explain` shows what is known of the alert."
"""A notice is broken into lines, so a text in it cannot be found by its letters."""


def scrubbed(payload: str, texts: Mapping[str, str]) -> str:
    """A payload with its marks in the place of the erased texts, also in JSON that is itself a text within it.

    The body of a notice goes as a whole. A payload that holds none of the texts comes back as it was.
    """
    content = json.loads(payload)
    left = _scrubbed(content, texts)
    if isinstance(left, dict) and isinstance(left.get("body"), str):
        left = left | {"body": BODY}
    return payload if left == content else canonical(left)


def _scrubbed(value: Any, texts: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _scrubbed(each, texts) for name, each in value.items()}
    if isinstance(value, list):
        return [_scrubbed(each, texts) for each in value]
    if not isinstance(value, str):
        return value
    if value.startswith("{"):
        try:
            return scrubbed(value, texts)
        except ValueError:
            pass
    for text, mark in texts.items():
        value = value.replace(text, mark)
    return value
