"""JSON that could be read in two ways, or not at all, is refused and never raises."""

import json

import pytest

from monitor.events.envelope import Reason
from tests.events.samples import received, refused, sample

CHIMERISM = "safety.chimerism.resulted.v1"
TEXT = json.dumps(sample(CHIMERISM, extra="EXTRA"))


def with_extra(json_text: str) -> str:
    return TEXT.replace('"EXTRA"', json_text)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"not json",
        b"\xff\xfe\x00",
        b"null,",
        '{"a": 1}}'.encode("utf-16"),
        b"[" * 100_000,
        b'{"a":' * 50_000,
    ],
)
def test_what_is_no_json_is_malformed(raw: bytes) -> None:
    result = refused(raw)
    assert result.reason is Reason.MALFORMED_JSON
    assert result.subject is None
    assert result.raw == raw


@pytest.mark.parametrize(
    "odd",
    ["NaN", "Infinity", "-Infinity", '{"a": 1, "a": 2}', '"\\ud800"', '{"\\udc00": 1}', "[" * 40 + "]" * 40],
)
def test_what_json_leaves_open_is_malformed_but_keeps_its_subject(odd: str) -> None:
    result = refused(with_extra(odd))
    assert result.reason is Reason.MALFORMED_JSON
    assert result.subject == ("SH-017" if "[[" not in odd else None)


@pytest.mark.parametrize(
    "number",
    [
        "1e999999999",
        "1e-999999999",
        "5e5555555555000096156902",
        "5e-5555555555000096156902",
        "9" * 5000,
        "0." + "1" * 90,
        "1e31",
        "-1e400",
    ],
)
def test_a_number_that_nothing_measures_is_invalid(number: str) -> None:
    for message in (with_extra(number), json.dumps(sample(CHIMERISM, donor_percent=number))):
        result = refused(message)
        assert result.reason is Reason.INVALID_DATA
        assert result.subject == "SH-017"


def test_a_field_said_twice_in_two_ways_is_not_guessed() -> None:
    result = refused(TEXT.replace('"subject": "SH-017"', '"subject": "SH-017", "subject": "SH-018"'))
    assert result.reason is Reason.MALFORMED_JSON
    assert result.subject is None


def test_brackets_within_a_text_are_no_depth() -> None:
    assert received(with_extra(json.dumps("[{" * 100 + '"\\'))).subject == "SH-017"


def test_a_surrogate_pair_is_a_character() -> None:
    assert received(with_extra('"\\ud83d\\ude00"')).stored.count("\U0001f600") == 1


def test_quotes_without_end_are_refused_in_no_time() -> None:
    assert refused(b'{"a": "' + b'\\"[' * 80_000).reason is Reason.MALFORMED_JSON
