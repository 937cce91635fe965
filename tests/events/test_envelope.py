"""The envelope: what is taken as a CloudEvent 1.0, in both modes, and what is refused."""

import json
from datetime import UTC, date, datetime

import pytest
from cloudevents.core.bindings.kafka import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from monitor.events.catalogue import TOPICS, TYPES
from monitor.events.chimerism import ChimerismResulted
from monitor.events.codec import restore
from monitor.events.envelope import ClockAdvanced, Reason, Received, Refused
from tests.events.samples import opened, received, refused, sample

CHIMERISM = "safety.chimerism.resulted.v1"


def _library_event() -> CloudEvent:
    event = sample(CHIMERISM)
    data = event.pop("data")
    return CloudEvent({**event, "time": datetime.fromisoformat(event["time"])}, data)


def test_binary_mode_as_the_cloudevents_library_writes_it_is_the_same_event() -> None:
    message = to_binary(_library_event(), JSONFormat())
    binary = received(message.value, headers=message.headers)
    assert binary.content == received(sample(CHIMERISM)).content
    assert binary.delivery_key == received(sample(CHIMERISM)).delivery_key


def test_structured_mode_as_the_cloudevents_library_writes_it_is_the_same_event() -> None:
    message = to_structured(_library_event(), JSONFormat())
    assert received(message.value, headers=message.headers).content == received(sample(CHIMERISM)).content


def test_binary_headers_may_be_pairs_and_in_capitals() -> None:
    event = sample(CHIMERISM)
    names = ("specversion", "id", "source", "type", "subject", "time")
    headers = [(f"CE_{name.upper()}", str(event[name]).encode()) for name in names]
    assert received(json.dumps(event["data"]), headers=headers).subject == "SH-017"


def test_a_content_type_of_structured_mode_outweighs_ce_headers() -> None:
    headers = {"content-type": b"application/cloudevents+json; charset=utf-8", "ce_id": b"other"}
    assert received(sample(CHIMERISM), headers=headers).id == "delivery-1"


def test_a_header_said_twice_in_two_ways_is_refused() -> None:
    headers = [("ce_specversion", b"1.0"), ("ce_subject", b"SH-017"), ("ce_subject", b"SH-018")]
    assert refused("{}", headers=headers).reason is Reason.NOT_CLOUDEVENT


@pytest.mark.parametrize("field", ["specversion", "id", "source", "type", "subject", "time"])
@pytest.mark.parametrize("wrong", [..., None, "", 17, ["x"], "\u0000"])
def test_a_missing_or_wrong_envelope_field_is_refused(field: str, wrong: object) -> None:
    event = {k: v for k, v in {**sample(CHIMERISM), field: wrong}.items() if v is not ...}
    result = refused(event)
    assert result.reason is Reason.NOT_CLOUDEVENT
    assert field in result.detail


def test_a_time_without_its_offset_is_refused() -> None:
    assert refused({**sample(CHIMERISM), "time": "2025-06-12T03:20:11"}).reason is Reason.NOT_CLOUDEVENT


def test_the_time_is_read_in_utc() -> None:
    event = received({**sample(CHIMERISM), "time": "2025-06-12T11:20:11+08:00"})
    assert event.time == datetime(2025, 6, 12, 3, 20, 11, tzinfo=UTC)
    assert event.time.tzinfo is UTC


@pytest.mark.parametrize("name", ["safety.lab.resulted.v2", "safety.alert.raised.v1", "nonsense"])
def test_a_type_outside_the_catalogue_is_refused(name: str) -> None:
    assert refused({**sample(CHIMERISM), "type": name}).reason is Reason.UNKNOWN_TYPE


@pytest.mark.parametrize("name", sorted(TYPES))
def test_each_type_is_taken_on_its_own_topic_and_in_a_file(name: str) -> None:
    received(sample(name), topic=TYPES[name].topic)
    received(sample(name), topic=None)


@pytest.mark.parametrize("name", sorted(TYPES))
def test_a_type_on_another_topic_is_refused_with_where_it_belongs(name: str) -> None:
    """Who may send to a topic is the broker's to say: a laboratory cannot acknowledge an alert by sending a result."""
    for topic in (topic for topic in TOPICS if topic != TYPES[name].topic):
        result = refused(sample(name), topic=topic)
        assert result.reason is Reason.UNKNOWN_TYPE
        assert TYPES[name].topic in result.detail
        assert result.subject == "SH-017"


def test_a_batch_is_refused() -> None:
    assert refused(json.dumps([sample(CHIMERISM)])).reason is Reason.NOT_CLOUDEVENT


@pytest.mark.parametrize("data", [..., None, [], "text", 7])
def test_data_must_be_there_and_be_an_object(data: object) -> None:
    event = {k: v for k, v in {**sample(CHIMERISM), "data": data}.items() if v is not ...}
    result = refused(event)
    assert result.reason is Reason.INVALID_DATA
    assert result.subject == "SH-017"


def test_a_message_that_is_too_large_still_belongs_to_its_subject() -> None:
    result = refused(sample(CHIMERISM, note="x" * 300_000))
    assert (result.reason, result.subject, result.record_id) == (Reason.TOO_LARGE, "SH-017", "rec-1")
    assert received(sample(CHIMERISM, note="x" * 300_000), max_bytes=400_000).subject == "SH-017"


def test_a_refusal_carries_what_could_be_read() -> None:
    result = refused(sample(CHIMERISM, unit=..., record_version="3", effective_at="2025-06-12"))
    assert result.reason is Reason.UNIT_UNKNOWN
    assert (result.subject, result.source, result.id, result.type) == ("SH-017", "/shgh/lis", "delivery-1", CHIMERISM)
    assert (result.record_id, result.record_version, result.effective_at) == ("rec-1", 3, date(2025, 6, 12))
    assert result.time == datetime(2025, 6, 12, 3, 20, 11, tzinfo=UTC)


def test_a_refusal_is_restored_as_it_was() -> None:
    for raw in (b"\xff\xfe", b"not json", json.dumps(sample(CHIMERISM, unit=...)).encode()):
        result = refused(raw, headers={"trace": b"\xff\x00", "content-type": b"application/cloudevents+json"})
        assert restore(result.stored) == result


def test_in_a_refused_binary_message_the_subject_is_read_from_its_header() -> None:
    headers = {"ce_specversion": b"1.0", "ce_subject": b"SH-017", "ce_type": CHIMERISM.encode()}
    result = refused('{"record_id": "r", ', headers=headers)
    assert (result.reason, result.subject) == (Reason.MALFORMED_JSON, "SH-017")


def test_the_clock_of_a_back_fill_needs_no_subject() -> None:
    clock = {"specversion": "1.0", "id": "c1", "source": "/publish", "type": "safety.clock.advanced.v1"}
    event = {**clock, "time": "2025-06-12T00:00:00Z", "data": {"now": "2025-06-12T08:00:00+08:00"}}
    assert opened(event) == ClockAdvanced(datetime(2025, 6, 12, tzinfo=UTC), "/publish", "c1")
    assert refused({**event, "data": {"now": "2025-06-12"}}).reason is Reason.INVALID_DATA


def test_a_stored_text_of_nobody_is_said_to_be_so() -> None:
    with pytest.raises(ValueError, match="stored"):
        restore('{"specversion": "1.0", "data": {}}')


def test_a_stored_fact_is_not_judged_again() -> None:
    stored = received(sample(CHIMERISM)).stored.replace('"0.97"', '"970"').replace('"97.00"', '"970"')
    event = restore(stored)
    assert isinstance(event, Received)
    assert isinstance(event.data, ChimerismResulted)
    assert event.data.donor_percent == 970
    assert isinstance(opened(sample(CHIMERISM, donor_percent="970")), Refused)


def test_a_bug_of_ours_costs_one_message_and_not_the_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.events.codec.derive", lambda data: data.no_such_thing)
    result = refused(sample("safety.graft.assessed.v1"))
    assert (result.reason, result.subject) == (Reason.INVALID_DATA, "SH-017")
    assert "our fault" in result.detail
