"""What a broken or hostile sender may try: a fact, or in quarantine for the right reason, at a bounded cost."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from monitor.audit import kinds
from monitor.events import parse
from monitor.events.envelope import Reason
from monitor.events.parse import MAX_VALUES
from tests.events.samples import fact, lab, opened, received, refused, sample

CHIMERISM = "safety.chimerism.resulted.v1"
UNSEEN = {
    "NUL": "SH-\x00017",
    "escape": "SH-017\x1b[2J",
    "a new line": "SH-017\nSH-018",
    "right to left": "SH-\u202e710",
    "a space of no width": "SH-01\u200b7",
    "a mark of order": "SH-\ufeff017",
    "a space that does not break": "SH\u00a0017",
    "half a pair": "SH-\ud800",
}


@pytest.mark.parametrize("field", ["id", "source", "subject"])
@pytest.mark.parametrize("what", sorted(UNSEEN))
def test_an_identifier_with_what_cannot_be_seen_is_refused(field: str, what: str) -> None:
    result = refused({**sample(CHIMERISM), field: UNSEEN[what]})
    assert result.reason is (Reason.MALFORMED_JSON if what == "half a pair" else Reason.NOT_CLOUDEVENT)
    assert getattr(result, field) is None


@pytest.mark.parametrize(
    "subject", ["../alert/SH-018", "alert/SH-018", "system/protocol", "quarantine/safety.lab", "%2e"]
)
def test_a_subject_that_looks_like_a_stream_stays_a_subject(subject: str) -> None:
    stream = kinds.patient_stream(received({**sample(CHIMERISM), "subject": subject}).subject)
    assert kinds.patient_of(stream) == subject
    assert kinds.patient_of_alert(stream) is None
    assert not kinds.by_wall_clock(stream)


@pytest.mark.parametrize("field", ["record_id", "subject", "id"])
def test_identifiers_that_unicode_holds_to_be_one_are_one(field: str) -> None:
    def named(text: str) -> Any:
        event = sample(CHIMERISM)
        (event["data"] if field == "record_id" else event)[field] = text
        return received(event)

    composed, apart = named("Jos\u00e9-1"), named("Jose\u0301-1")
    assert composed.content == apart.content
    assert composed.delivery_key == apart.delivery_key


@pytest.mark.parametrize("length", [257, 1_000, 200_000])
def test_a_very_long_identifier_is_refused(length: int) -> None:
    assert refused({**sample(CHIMERISM), "subject": "S" * length}).reason is Reason.NOT_CLOUDEVENT
    assert refused(sample(CHIMERISM, record_id="r" * length)).reason is Reason.INVALID_DATA


def test_a_free_text_can_steer_no_terminal_and_feign_no_second_line() -> None:
    term = "Rash\x1b[2J\u202e\r\n2025-06-12 alert withdrawn\x00"
    event = received(sample("safety.adverse-event.reported.v1", term=term))
    assert fact(sample("safety.adverse-event.reported.v1", term=term)).term == (
        "Rash\ufffd[2J\ufffd 2025-06-12 alert withdrawn\ufffd"
    )
    assert json.loads(event.stored)["data"]["term"] == term  # the log keeps it as it was sent


def test_what_is_said_of_a_refused_message_can_steer_no_terminal() -> None:
    scores = {"\x1b[2J\nall is well": 1}
    assert refused(sample("safety.gvhd.chronic-assessed.v1", organ_scores=scores)).detail.isprintable()
    assert refused(b"{}", headers=[("ce_\x1b[2J", b"\xff")]).detail.isprintable()


VAST: dict[str, Callable[[], str]] = {
    "numbers": lambda: "[" + ",".join(["1.5"] * MAX_VALUES) + "]",
    "empty lists": lambda: "[" + ",".join(["[]"] * 80_000) + "]",
    "deep lists": lambda: "[" + ",".join(["[" * 28 + "]" * 28] * 4_000) + "]",
    "fields": lambda: json.dumps({f"k{number}": 1 for number in range(15_000)}),
    "open brackets": lambda: "[" + "[]," * 80_000,
}


@pytest.mark.parametrize("what", sorted(VAST))
def test_more_values_than_any_event_has_are_not_read_at_all(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    message = json.dumps(sample(CHIMERISM, extra="@")).replace('"@"', VAST[what]())
    for reader in ("_STRICT", "_LENIENT"):
        monkeypatch.setattr(parse, reader, None)  # whoever reads it comes to grief
    result = refused(message)
    assert result.reason is Reason.TOO_LARGE
    assert f"more than {MAX_VALUES} values" in result.detail


def test_a_long_text_full_of_brackets_and_commas_is_one_value() -> None:
    assert received(sample(CHIMERISM, extra="[{,}]" * 40_000)).subject == "SH-017"


@pytest.mark.parametrize(
    "moment",
    [
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "2016-12-31T23:59:60Z",
        "2025-02-29T00:00:00Z",
        "2025-06-12T24:00:00Z",
        "2025-06-12T00:00:00+99:99",
        "-2025-06-12T00:00:00Z",
        "12025-06-12T00:00:00Z",
    ],
)
def test_a_time_that_no_clock_of_the_trial_shows_is_refused(moment: str) -> None:
    assert refused({**sample(CHIMERISM), "time": moment}).reason is Reason.NOT_CLOUDEVENT
    assert refused(sample(CHIMERISM, effective_at=moment)).reason is Reason.INVALID_DATA


@pytest.mark.parametrize("number", ["1e999999999", "-1e-999999999", "1" * 1_000, "1." + "0" * 1_000, "1e31", "1e-31"])
def test_a_number_is_bounded_before_anything_is_worked_out_of_it(number: str) -> None:
    assert refused(lab("751-8", number, "/uL")).reason is Reason.INVALID_DATA
    assert refused(sample(CHIMERISM, record_version=number)).reason is Reason.INVALID_DATA
    assert refused(sample("safety.patient.enrolled.v1", birth_year=number)).reason is Reason.INVALID_DATA


def test_findings_that_are_no_findings_are_refused_however_deep() -> None:
    deep = json.loads("[" * 25 + "]" * 25)
    assert refused(sample("safety.gvhd.acute-assessed.v1", findings=deep)).reason is Reason.INVALID_DATA


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([("ce_specversion", b"1.0"), ("CE_SPECVERSION", b"1.1")], Reason.NOT_CLOUDEVENT),
        ([("ce_id", b"\xff")], Reason.NOT_CLOUDEVENT),
        ([("ce_", b"x"), ("ce_specversion", b"1.0")], Reason.NOT_CLOUDEVENT),
        ([("ce_data", b"{}"), ("ce_specversion", b"1.0")], Reason.NOT_CLOUDEVENT),
        ([("x", b"y" * 300_000)], Reason.TOO_LARGE),
        ([("x" * 300_000, b"")], Reason.TOO_LARGE),
        ([("safety-unread", b"forged\x1b[2J" * 100)], Reason.TOO_LARGE),
    ],
)
def test_headers_are_held_to_the_same_rules(headers: list[tuple[str, bytes]], reason: Reason) -> None:
    result = refused(json.dumps(sample(CHIMERISM)["data"]), headers=headers)
    assert result.reason is reason
    assert result.detail.isprintable()
    assert len(result.detail) < 400


def test_a_header_cannot_take_the_place_of_the_data() -> None:
    event = sample(CHIMERISM)
    data = event.pop("data")
    headers = [(f"ce_{name}", str(value).encode()) for name, value in event.items()] + [("ce_data", b'{"a": 1}')]
    assert received(json.dumps(data), headers=headers).data == received(sample(CHIMERISM)).data


def test_a_header_without_a_value_is_an_empty_one() -> None:
    empty: Any = [("ce_id", None)]
    assert refused(b"{}", headers=empty).reason is Reason.NOT_CLOUDEVENT


def test_no_value_at_all_is_malformed() -> None:
    tombstone: Any = None
    answer: Any = opened(tombstone)
    assert answer.reason is Reason.MALFORMED_JSON
