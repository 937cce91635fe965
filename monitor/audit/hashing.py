"""The hashes of a record. The format is settled (docs/audit.md): a change would need a new scheme number."""

from hashlib import sha256
from json.encoder import encode_basestring as _quoted  # the C half of json.dumps(ensure_ascii=False)
from typing import Final

SCHEME_PLAIN: Final = 1
"""Scheme 1: the payload is stored as it is."""

SCHEME_ENCRYPTED: Final = 2
"""Scheme 2: the payload is encrypted under a key of its own, which the key named by `key_id` wraps."""

SCHEMES: Final = frozenset({SCHEME_PLAIN, SCHEME_ENCRYPTED})
"""The schemes this program knows; a log is of one of them from its first record on.

In each the hashes cover the stored bytes, whatever those mean."""

SALT_BYTES: Final = 16
"""128 bits: what a redacted export shows of a payload cannot be found by trying all likely payloads."""

GENESIS: Final = bytes(32)
"""Stands for the record before the first of a stream, and for the running hash of an empty log."""

# 0x01 marks an inner node of the Merkle tree (RFC 9162) whose leaves are the leaf hashes below.
_LEAF = b"\x00"
_LINK = b"\x02"
_RUNNING = b"\x03"


def payload_hash(salt: bytes, payload: str) -> bytes:
    """SHA-256 over the salt and the stored bytes of the payload."""
    return sha256(salt + payload.encode()).digest()


def envelope(
    sequence: int,
    scheme: int,
    stream: str,
    version: int,
    kind: str,
    recorded_at: str,
    known_at: str,
    waited: bool,
    actor: str,
    dedupe_key: str | None,
    origin_topic: str | None,
    origin_partition: int | None,
    origin_offset: int | None,
    key_id: str | None,
    payload_hash: bytes,
    previous_hash: bytes,
) -> bytes:
    """Canonical JSON of all that identifies a record: keys sorted, no blanks, UTF-8, hashes in hexadecimal.

    Equal to `json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)`, and faster.
    """
    return (
        f'{{"actor":{_quoted(actor)},"dedupe_key":{_text(dedupe_key)},"key_id":{_text(key_id)},"kind":{_quoted(kind)},'
        f'"known_at":{_quoted(known_at)},"origin_offset":{_number(origin_offset)},'
        f'"origin_partition":{_number(origin_partition)},"origin_topic":{_text(origin_topic)},'
        f'"payload_hash":"{payload_hash.hex()}","previous_hash":"{previous_hash.hex()}",'
        f'"recorded_at":{_quoted(recorded_at)},"scheme":{scheme},"sequence":{sequence},"stream":{_quoted(stream)},'
        f'"version":{version},"waited":{"true" if waited else "false"}}}'
    ).encode()


def leaf_hash(canonical_envelope: bytes) -> bytes:
    """The record's leaf in chain and tree: SHA-256(0x00 || envelope), as RFC 9162, 2.1.1."""
    return sha256(_LEAF + canonical_envelope).digest()


def record_hash(previous: bytes, leaf: bytes) -> bytes:
    """A record's link in the chain of its stream: SHA-256(0x02 || previous record_hash || leaf)."""
    return sha256(_LINK + previous + leaf).digest()


def running_hash(running: bytes, leaf: bytes) -> bytes:
    """The log's running hash after one more leaf: SHA-256(0x03 || running || leaf)."""
    return sha256(_RUNNING + running + leaf).digest()


def _text(value: str | None) -> str:
    return "null" if value is None else _quoted(value)


def _number(value: int | None) -> str:
    return "null" if value is None else str(value)
