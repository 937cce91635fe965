"""A compressed batch opened within a limit: a few kilobytes may be a gigabyte, and memory serves all patients."""

import struct
from typing import Any, Final

import cramjam

GZIP: Final = 1
SNAPPY: Final = 2
LZ4: Final = 3
ZSTD: Final = 4
LIBRARIES: Final[dict[int, Any]] = {GZIP: cramjam.gzip, LZ4: cramjam.lz4, ZSTD: cramjam.zstd}
XERIAL: Final = b"\x82SNAPPY\0"  # how Java's snappy begins: blocks, each with its length before it
XERIAL_HEAD: Final = 16  # bytes: the mark and two version numbers
USUAL_RATIO: Final = 20  # JSON shrinks five- to tenfold; what is beyond is tried again with all that is allowed


class TooLargeToExpand(Exception):  # noqa: N818 - a word, as those of monitor.errors
    """The batch does not expand within the limit (or not at all; a broker has looked at it before)."""


def expand(codec: int, payload: bytes, limit: int) -> bytes:
    """The bytes of a batch, at most `limit` of them. Raises TooLargeToExpand; takes no more memory than the limit."""
    try:
        if codec == SNAPPY:
            return b"".join(_snappy(payload, limit))
        usual = min(limit, USUAL_RATIO * len(payload))
        try:
            return _within(LIBRARIES[codec], payload, usual)
        except cramjam.DecompressionError:
            return _within(LIBRARIES[codec], payload, limit)
    except (cramjam.DecompressionError, KeyError, struct.error) as error:
        raise TooLargeToExpand(f"a compressed batch that does not expand within {limit} bytes") from error


def _within(library: Any, payload: bytes, limit: int) -> bytes:
    room = bytearray(limit)
    return bytes(memoryview(room)[: library.decompress_into(payload, room)])


def _snappy(payload: bytes, limit: int) -> list[bytes]:
    """Each block says how long it will be; that word is taken before anything is opened."""
    blocks = _xerial(payload) if payload.startswith(XERIAL) else [payload]
    if sum(cramjam.snappy.decompress_raw_len(block) for block in blocks) > limit:
        raise cramjam.DecompressionError("beyond the limit")
    return [bytes(cramjam.snappy.decompress_raw(block)) for block in blocks]


def _xerial(payload: bytes) -> list[bytes]:
    blocks, at = [], XERIAL_HEAD
    while at < len(payload):
        (length,) = struct.unpack_from("!I", payload, at)
        at += 4
        blocks.append(payload[at : at + length])
        at += length
    return blocks
