"""What the broker hands over, unpacked so that no producer can stop or fill the worker.

aiokafka opens a compressed batch whatever it grows to, and ends on a header whose name is not UTF-8: one message of a
sender would hold up its partition for ever. Here a batch that grows beyond the limit becomes as many messages as it
has offsets, each marked as never read (the codec refuses them as too large), and such a header is read by its escapes.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint

from monitor.agents.expanding import TooLargeToExpand, expand
from monitor.events.binding import UNREAD

HEAD: Final = 61  # bytes before the records of a batch (message format 2)
LENGTH_AT: Final = 8
MAGIC_AT: Final = 16
ATTRIBUTES_AT: Final = 21
BEFORE_LENGTH: Final = 12  # bytes that the length does not count
CODEC_BITS: Final = 0x07
FORMAT: Final = 2  # brokers since 3.0 write no older one


@dataclass(frozen=True, slots=True)
class Unpacked:
    """One message, in the shape of aiokafka's own."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    checksum: None = field(default=None)


class CarefulRecords:
    """Stands in for aiokafka's MemoryRecords: the batches of one answer, one after another."""

    limit: int  # bytes that a batch may expand to

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._records = MemoryRecords(raw)
        self._at = 0

    def size_in_bytes(self) -> int:
        """Bytes of the whole answer."""
        return len(self._raw)

    def has_next(self) -> bool:
        """Whether there is one more whole batch."""
        return bool(self._records.has_next())

    def next_batch(self) -> Any:
        """The next batch; control batches and old formats as aiokafka reads them."""
        batch = self._records.next_batch()
        begin, (length,) = self._at, struct.unpack_from("!i", self._raw, self._at + LENGTH_AT)
        self._at = begin + BEFORE_LENGTH + length
        if self._raw[begin + MAGIC_AT] < FORMAT or batch.is_control_batch:
            return batch
        return _CarefulBatch(batch, bytes(self._raw[begin : self._at]), self.limit)


class _CarefulBatch:
    """One batch of data: aiokafka's, with another way through its messages."""

    def __init__(self, batch: Any, raw: bytes, limit: int) -> None:
        self._batch = batch
        self._raw = raw
        self._limit = limit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        try:
            plain = self._plain()
        except TooLargeToExpand as error:
            for offset in range(self._batch.base_offset, self._batch.next_offset):
                yield self._unread(offset, str(error))
            return
        last = -1
        try:
            for record in DefaultRecordBatch(plain):
                yield record
                last = record.offset
        except UnicodeDecodeError:
            yield from (record for record in self._by_hand(plain) if record.offset > last)

    def _plain(self) -> bytes:
        """The batch as if it had never been compressed."""
        (attributes,) = struct.unpack_from("!h", self._raw, ATTRIBUTES_AT)
        if not attributes & CODEC_BITS:
            return self._raw
        records = expand(attributes & CODEC_BITS, self._raw[HEAD:], self._limit)
        head = bytearray(self._raw[:HEAD])
        struct.pack_into("!i", head, LENGTH_AT, HEAD - BEFORE_LENGTH + len(records))
        struct.pack_into("!h", head, ATTRIBUTES_AT, attributes & ~CODEC_BITS)
        return bytes(head) + records

    def _unread(self, offset: int, why: str) -> Unpacked:
        batch = self._batch
        return Unpacked(offset, batch.max_timestamp, batch.timestamp_type, None, b"", [(UNREAD, why.encode())])

    def _by_hand(self, plain: bytes) -> Iterator[Unpacked]:
        """The messages, with header names that are not UTF-8 written as escapes."""
        buffer, at = bytearray(plain), HEAD
        while at < len(buffer):
            length, at = decode_varint(buffer, at)
            yield self._message(buffer, at + 1)  # past its attributes, which say nothing
            at += length

    def _message(self, buffer: bytearray, at: int) -> Unpacked:
        later, at = decode_varint(buffer, at)
        delta, at = decode_varint(buffer, at)
        key, at = _piece(buffer, at)
        value, at = _piece(buffer, at)
        count, at = decode_varint(buffer, at)
        headers = []
        for _ in range(count):
            name, at = _piece(buffer, at)
            content, at = _piece(buffer, at)
            headers.append(((name or b"").decode(errors="backslashreplace"), content))
        batch = self._batch
        stamp = batch.max_timestamp if batch.timestamp_type else batch.first_timestamp + later
        return Unpacked(batch.base_offset + delta, stamp, batch.timestamp_type, key, value, headers)


def _piece(buffer: bytearray, at: int) -> tuple[bytes | None, int]:
    """Bytes with their length before them; a negative one means none."""
    length, at = decode_varint(buffer, at)
    return (None, at) if length < 0 else (bytes(buffer[at : at + length]), at + length)


def unpack_carefully(limit: int) -> None:
    """From here on every consumer of this process unpacks so; `limit`: bytes that a compressed batch may grow to."""
    fetcher.MemoryRecords = type("BoundRecords", (CarefulRecords,), {"limit": limit})
