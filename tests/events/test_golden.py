"""Golden files: what was stored once is read for ever. UPDATE_GOLDEN=1 writes those that are missing or changed."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from monitor.events.catalogue import TYPES
from monitor.events.codec import encode, restore
from monitor.events.envelope import Received
from tests.events.samples import SAMPLES, received, sample

GOLDEN = Path(__file__).parent / "golden"


def _golden(name: str) -> dict[str, Any]:
    event = received({**sample(name), "traceparent": "00-ab-cd-01"})
    made = {
        "sent": json.loads(encode(event)),
        "content": event.content,
        "stored": event.stored,
        "delivery_key": event.delivery_key,
    }
    file = GOLDEN / f"{name}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n")
    kept: dict[str, Any] = json.loads(file.read_text())
    assert made == kept, f"{name} is read otherwise than before: a stored type is a contract"
    return kept


def test_every_type_has_a_sample_and_a_golden_file() -> None:
    assert set(SAMPLES) == set(TYPES)
    if not os.environ.get("UPDATE_GOLDEN"):
        assert {file.stem for file in GOLDEN.glob("*.json")} == set(TYPES)


@pytest.mark.parametrize("name", sorted(TYPES))
def test_an_event_is_read_stored_and_restored_as_it_always_was(name: str) -> None:
    kept = _golden(name)
    restored = restore(kept["stored"])
    assert isinstance(restored, Received)
    assert restored.stored == kept["stored"]
    assert restored.content == kept["content"]
    assert restored.delivery_key == kept["delivery_key"]


@pytest.mark.parametrize("name", sorted(TYPES))
def test_an_event_sent_on_is_the_event_that_came(name: str) -> None:
    event = received(sample(name))
    again = received(encode(event))
    assert again.content == event.content
    assert again.delivery_key == event.delivery_key
