"""What goes out: alert changes as CloudEvents, refused messages as they came."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka
from cloudevents.core.formats.json import JSONFormat

from monitor.events.alert import CHANGES, alert_event
from monitor.events.quarantine import quarantine_headers
from tests.events.samples import refused

ALERT = {"alert_id": "al-1", "rule": "stop.chimerism", "details": {"value": Decimal("89.960")}}
AT = datetime(2025, 6, 12, 3, tzinfo=UTC)


def event(change: str) -> KafkaMessage:
    return alert_event(change=change, patient="SH-017", event_id="al-1/1", at=AT, alert=ALERT)


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_the_cloudevents_library_reads_each_change_of_an_alert(change: str) -> None:
    read = from_kafka(event(change), JSONFormat())
    assert read.get_type() == f"safety.alert.{change}.v1"
    assert (read.get_subject(), read.get_id(), read.get_time()) == ("SH-017", "al-1/1", AT)
    assert read.get_data() == {
        "change": change,
        "at": "2025-06-12T03:00:00Z",
        "alert": {**ALERT, "details": {"value": "89.960"}},
    }


def test_an_alert_is_keyed_by_its_patient_and_the_same_bytes_every_time() -> None:
    assert event("raised").key == b"SH-017"
    assert event("raised") == event("raised")
    assert event("raised").headers == {"content-type": b"application/cloudevents+json"}


def test_an_alert_about_the_system_has_no_subject_and_an_empty_key() -> None:
    message = alert_event(change="raised", patient="", event_id="al-1/1", at=AT, alert=ALERT)
    assert message.key == b""
    assert from_kafka(message, JSONFormat()).get_subject() is None


def test_a_change_that_alerts_do_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="forgotten"):
        event("forgotten")


def test_a_quarantined_message_keeps_its_headers_and_says_why_and_from_where() -> None:
    result = refused(b"\xff", headers={"trace": b"\x01"})
    assert quarantine_headers(result, topic="safety.lab", partition=2, offset=41) == [
        ("trace", b"\x01"),
        ("quarantine_reason", b"malformed_json"),
        ("quarantine_detail", result.detail.encode()),
        ("quarantine_topic", b"safety.lab"),
        ("quarantine_partition", b"2"),
        ("quarantine_offset", b"41"),
    ]
