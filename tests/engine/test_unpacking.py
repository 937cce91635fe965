"""What comes from the broker is unpacked within a limit, whatever a producer made of it."""

import gzip
import struct
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka.record._crc32c import crc as crc32c
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from monitor.agents.unpacking import ATTRIBUTES_AT, CarefulRecords
from monitor.events.envelope import Reason, Refused
from tests.events.samples import opened

LIMIT = 1_048_576
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
HEADERS = [("ce_id", b"1"), ("naughty", b"2")]


class Bounded(CarefulRecords):
    """With the limit of these tests."""

    limit = LIMIT


def batch(values: list[bytes], codec: str = "none", *, base: int = 0) -> bytes:
    """A batch as a producer makes it and a broker hands it over."""
    builder = DefaultRecordBatchBuilder(2, CODECS[codec], 0, -1, -1, -1, 1 << 30)
    for offset, value in enumerate(values):
        builder.append(offset, 1000 + offset, b"SH-001", value, HEADERS)
    raw = bytearray(builder.build())
    struct.pack_into("!q", raw, 0, base)
    return bytes(raw)


def unpacked(raw: bytes) -> Iterator[Any]:
    records = Bounded(raw)
    while records.has_next():
        one = records.next_batch()
        assert one.validate_crc()
        yield from one


@pytest.mark.parametrize("codec", sorted(CODECS))
def test_every_codec_of_kafka_is_read_as_aiokafka_reads_it(codec: str) -> None:
    raw = batch([b"a", b"", b"b" * 5000], codec) + batch([b"c"], codec, base=3)
    told = [(one.offset, one.timestamp, one.key, one.value, list(one.headers)) for one in unpacked(raw)]
    assert [(offset, value) for offset, _, _, value, _ in told] == [(0, b"a"), (1, b""), (2, b"b" * 5000), (3, b"c")]
    plain = MemoryRecords(raw)
    expected = [one for _ in range(2) for one in plain.next_batch()]
    assert told == [(one.offset, one.timestamp, one.key, one.value, list(one.headers)) for one in expected]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_a_bomb_takes_no_memory_and_each_of_its_offsets_is_refused_as_too_large(codec: str) -> None:
    raw = batch([b"x", b"\0" * (20 * LIMIT)], codec, base=7) + batch([b"good"], codec, base=9)
    tracemalloc.start()
    try:
        bombed, unread, good = unpacked(raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * LIMIT + len(raw)
    assert (bombed.offset, unread.offset, good.offset, good.value) == (7, 8, 9, b"good")
    answer = opened(bombed.value, headers=bombed.headers)
    assert isinstance(answer, Refused)
    assert answer.reason is Reason.TOO_LARGE
    assert "does not expand within 1048576 bytes" in answer.detail


@given(
    st.sampled_from(sorted(CODECS)),
    st.lists(st.binary(max_size=40) | st.integers(0, 2 * LIMIT).map(bytes), min_size=1, max_size=4),
    st.integers(0, 2**40),
)
def test_a_batch_is_handed_over_whole_or_refused_whole_and_no_offset_is_lost(
    codec: str, values: list[bytes], base: int
) -> None:
    told = list(unpacked(batch(values, codec, base=base)))
    assert [one.offset for one in told] == list(range(base, base + len(values)))
    refused = [one.headers[0][0] == "safety-unread" for one in told]
    assert refused == [codec != "none" and expanded(values) > LIMIT] * len(values)
    if not any(refused):
        assert [one.value for one in told] == values


def expanded(values: list[bytes]) -> int:
    """The bytes of the messages of a batch, once it is opened."""
    return len(batch(values)) - 61


def test_a_gzip_of_many_members_counts_as_one() -> None:
    raw = bytearray(batch([b"a" * 100], "gzip"))
    bomb = gzip.compress(b"\0" * LIMIT) * 30
    whole = bytes(raw[:61]) + bomb
    resized = bytearray(whole)
    struct.pack_into("!i", resized, 8, len(resized) - 12)
    struct.pack_into("!I", resized, 17, crc32c(bytes(resized[ATTRIBUTES_AT:])))
    assert [one.headers[0][0] for one in unpacked(bytes(resized))] == ["safety-unread"]


def test_a_header_whose_name_is_not_utf8_holds_nothing_up() -> None:
    raw = bytearray(batch([b"before", b"after"]).replace(b"naughty", b"n\xff\xfeghty"))
    struct.pack_into("!I", raw, 17, crc32c(bytes(raw[ATTRIBUTES_AT:])))
    with pytest.raises(UnicodeDecodeError):
        list(DefaultRecordBatch(bytes(raw)))
    told = [(one.offset, one.key, one.value, one.headers) for one in unpacked(bytes(raw))]
    escaped = [("ce_id", b"1"), ("n\\xff\\xfeghty", b"2")]
    assert told == [(0, b"SH-001", b"before", escaped), (1, b"SH-001", b"after", escaped)]
