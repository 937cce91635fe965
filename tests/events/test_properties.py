"""What holds of every message: decode is total, what is stored comes back, tenfold stays tenfold."""

import json
from decimal import Context, Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from monitor.events import units
from monitor.events.catalogue import TYPES
from monitor.events.codec import decode, encode, restore
from monitor.events.envelope import ClockAdvanced, Received, Refused
from monitor.events.mrd import MrdResulted
from monitor.events.record import RecordBlock
from tests.events.samples import SITE, fact, lab, opened, received, sample

EXACT = Context(prec=100)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=8)
    | st.sampled_from(
        ["NaN", "1e400", "\ud800", "\x00", "II", "2025-06-12", "9999-12-31T23:59:59-23:59", "%", "10*9/L"]
    )
)
values = st.recursive(scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v, max_size=3))
names = st.sampled_from(sorted(TYPES))
# As instruments give them: up to eight digits, from 1e-9 to 1e6.
amounts = st.builds(lambda digits, e: Decimal(digits).scaleb(e), st.integers(1, 99_999_999), st.integers(-9, -2))


def _holds(result: Received | Refused | ClockAdvanced) -> None:
    if not isinstance(result, ClockAdvanced):
        assert "our fault" not in getattr(result, "detail", "")
        result.stored.encode()
        assert restore(result.stored) == result


@given(st.binary(max_size=300), st.dictionaries(st.text(max_size=8), st.binary(max_size=20), max_size=4))
def test_any_bytes_are_answered(raw: bytes, headers: dict[str, bytes]) -> None:
    _holds(decode(raw, headers=headers, site_timezone=SITE))


@given(values)
def test_any_json_is_answered(value: Any) -> None:
    _holds(opened(json.dumps(value)))


@given(names, values, st.data())
def test_any_spoilt_event_is_answered(name: str, value: Any, data: st.DataObject) -> None:
    event = sample(name)
    spoilt = data.draw(st.sampled_from([event, event["data"]]))
    spoilt[data.draw(st.sampled_from(sorted(spoilt)) | st.text(max_size=6))] = value
    _holds(opened(event))


@given(names, st.data())
def test_any_cut_or_flipped_event_is_answered(name: str, data: st.DataObject) -> None:
    raw = bytearray(json.dumps(sample(name)).encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    _holds(opened(bytes(raw[: data.draw(st.integers(0, len(raw)))])))
    _holds(opened(bytes(raw)))


plain_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
) | st.decimals(allow_nan=False, allow_infinity=False, min_value=-1000, max_value=1000, places=4).map(float)
plain_values = st.recursive(
    plain_scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text("abc", max_size=3), v, max_size=3)
)


@given(names, st.dictionaries(st.text("xyz", min_size=1, max_size=4), plain_values, max_size=4))
def test_fields_that_we_do_not_know_survive_the_log_and_the_wire(name: str, extra: dict[str, Any]) -> None:
    event = received(sample(name, **extra))
    assert restore(event.stored) == event
    again = received(encode(event))
    assert (again.content, again.delivery_key) == (event.content, event.delivery_key)


@given(amounts)
def test_a_number_is_read_digit_for_digit_however_it_is_sent(amount: Decimal) -> None:
    as_text = sample("safety.mrd.resulted.v1", value=str(amount), unit="{copies}")
    as_number = json.dumps(as_text).replace(f'"value": "{amount}"', f'"value": {amount}')
    assert as_number != json.dumps(as_text)
    one, other = received(as_text), received(as_number)
    assert isinstance(one.data, MrdResulted)
    assert isinstance(other.data, MrdResulted)
    assert one.data.value == other.data.value == amount
    assert str(one.data.value) == str(other.data.value) == str(amount)
    assert one.content == other.content


@given(amounts, st.sampled_from(["mg/dL", "g/L", "umol/L", "10*9/L", "/uL", "ukat/L", "%", "1", "mL/s"]))
def test_tenfold_stays_exactly_tenfold_in_every_unit(amount: Decimal, unit: str) -> None:
    canonical = {"g/L": "mg/dL", "/uL": "10*9/L", "ukat/L": "U/L", "1": "%", "mL/s": "mL/min"}.get(unit, unit)
    tenfold = EXACT.multiply(amount, Decimal(10))
    one, ten = units.convert(amount, unit, canonical), units.convert(tenfold, unit, canonical)
    assert ten == EXACT.multiply(one, Decimal(10))


@given(st.integers(0, 100_000_000))
def test_cells_per_microlitre_are_thousandths_of_the_canonical_unit(count: int) -> None:
    value = Decimal(count).scaleb(-3)
    assert fact(lab("751-8", str(value), "/uL")).quantity == EXACT.multiply(value, Decimal("0.001"))


numbers = st.builds(
    lambda n, places: (f"{n}" + ("." + "0" * places if places else ""), Decimal(n)),
    st.integers(1, 50),
    st.integers(0, 3),
)


@given(numbers, numbers, st.booleans(), st.sampled_from(["dose_mg_m2", "unknown"]))
def test_contents_are_equal_exactly_where_what_they_say_is(
    one: tuple[str, Decimal], other: tuple[str, Decimal], quoted: bool, field: str
) -> None:
    template = json.dumps(sample("safety.azacitidine.given.v1", **{field: "@"}))
    left = received(template.replace('"@"', one[0]))
    right = received(template.replace('"@"', f'"{other[0]}"' if quoted and field != "unknown" else other[0]))
    assert (left.content == right.content) == (one[1] == other[1])


@given(st.integers(-14, 14))
def test_an_instant_is_one_content_in_every_offset(hours: int) -> None:
    moment = f"2025-06-{11 if hours < -1 else 12}T12:00:00{hours:+03d}:00"
    one = received({**sample("safety.azacitidine.given.v1", effective_at=moment), "time": "2025-06-20T00:00:00Z"})
    assert isinstance(one.data, RecordBlock)
    utc = one.data.effective_at.isoformat()
    other = received({**sample("safety.azacitidine.given.v1", effective_at=utc), "time": "2025-06-20T00:00:00Z"})
    assert one.content == other.content
    assert one.delivery_key == other.delivery_key
