"""Proofs as JSON: made from the log, checked by anybody with the verifier keys and nothing else."""

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final

from monitor.audit import hashing
from monitor.audit.encryption import COMMITMENT_BYTES, KEY_BYTES, commitment
from monitor.audit.proof.checkpoint import SignedCheckpoint, read_checkpoint
from monitor.audit.proof.keys import VerifierKey
from monitor.audit.proof.merkle import Span, consistency_spans, consistent, includes, inclusion_spans
from monitor.audit.proof.store import ProofStore
from monitor.audit.proof.tree import TreeReader
from monitor.audit.stored import Stored, envelope
from monitor.errors import ProofInvalid, UsageError

INCLUSION: Final = "safety-monitor/inclusion-proof/1"
CONSISTENCY: Final = "safety-monitor/consistency-proof/1"

Json = dict[str, Any]


async def prove_inclusion(store: ProofStore, sequence: int, *, with_payload: bool = False) -> Json:
    """That a record stands in the log where it does, under the newest checkpoint.

    The payload is patients' data and is left out unless it is asked for. Raises UsageError for a record that no
    checkpoint counts, ProofInvalid if the log cannot prove it.
    """
    kept = await store.covering(sequence)
    stored = await store.record(sequence)
    if stored is None or kept is None:
        raise UsageError(f"no checkpoint counts record {sequence}: see `safety-monitor audit checkpoint`")
    signed = read_checkpoint(kept.note)
    leaf = sequence - 1
    for cached in (True, False):
        path = await TreeReader(store, cached=cached).path(inclusion_spans(leaf, signed.size))
        if includes(hashing.leaf_hash(envelope(stored)), leaf, signed.size, path, signed.root):
            break
    else:
        raise ProofInvalid(f"record {sequence} is not what the checkpoint of {signed.size} was made over: run `verify`")
    payload = await _payload(store, stored) if with_payload else {}
    return {
        "format": INCLUSION,
        "sequence": sequence,
        "envelope": envelope(stored).decode(),
        **payload,
        "path": _written(path),
        "checkpoint": str(signed.note),
    }


async def _payload(store: ProofStore, stored: Stored) -> Json:
    """The payload as it is stored; of an encrypted one also its text and its key, unless it was redacted."""
    shown = {"payload": stored.payload, "salt": stored.salt.hex()}
    text = await store.text(stored)
    if text is None or text.key is None:
        return shown
    return shown | {"clear": text.clear, "key": text.key.hex()}


async def prove_consistency(store: ProofStore, old: SignedCheckpoint, new: SignedCheckpoint) -> Json:
    """That the log under one checkpoint is the beginning of that under another.

    Raises UsageError where the log is shorter than they are, ProofInvalid if it is no continuation: it was rewritten.
    """
    if old.size > new.size:
        raise UsageError(f"the first checkpoint is of more records ({old.size}) than the second ({new.size})")
    if new.size > await store.size():
        raise ProofInvalid(f"the log has fewer records than a checkpoint counts: {new.size}")
    spans: Sequence[Span] = consistency_spans(old.size, new.size)
    for cached in (True, False):
        path = await TreeReader(store, cached=cached).path(spans)
        if consistent(old.size, new.size, path, old.root, new.root):
            break
    else:
        raise ProofInvalid(
            f"the log under the checkpoint of {new.size} records is no continuation of that of {old.size}:"
            " it was rewritten, or one of them is of another log"
        )
    return {"format": CONSISTENCY, "old": str(old.note), "new": str(new.note), "path": _written(path)}


def check_proof(proof: Mapping[str, Any], keys: Sequence[VerifierKey]) -> str:
    """What a proof shows, in a line. Needs no log and no network. Raises ProofInvalid if it does not show it."""
    try:
        if proof.get("format") == INCLUSION:
            return _check_inclusion(proof, keys)
        if proof.get("format") == CONSISTENCY:
            return _check_consistency(proof, keys)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ProofInvalid(f"the proof cannot be read: {type(error).__name__}") from None
    raise ProofInvalid(f"this is neither {INCLUSION} nor {CONSISTENCY}")


def _check_inclusion(proof: Mapping[str, Any], keys: Sequence[VerifierKey]) -> str:
    signed = read_checkpoint(proof["checkpoint"])
    signed.check(keys)
    entry: str = proof["envelope"]
    fields = json.loads(entry)
    sequence = fields["sequence"]
    if sequence != proof["sequence"]:
        raise ProofInvalid(f"the envelope is of record {sequence}, the proof of another")
    if not includes(hashing.leaf_hash(entry.encode()), sequence - 1, signed.size, _read(proof["path"]), signed.root):
        raise ProofInvalid(f"record {sequence} is not in the log of the checkpoint of {signed.size} records")
    shown = f"record {sequence} is in the log {signed.checkpoint.origin} of {signed.size} records"
    if "payload" not in proof:
        return shown
    if hashing.payload_hash(bytes.fromhex(proof["salt"]), proof["payload"]).hex() != fields["payload_hash"]:
        raise ProofInvalid(f"the payload is not the one of record {sequence}")
    if fields["scheme"] != hashing.SCHEME_ENCRYPTED:
        return f"{shown}, with this payload"
    if "key" not in proof:
        return f"{shown}, with this payload, whose key is gone: it is redacted"
    key = bytes.fromhex(proof["key"])
    if len(key) != KEY_BYTES or commitment(key, proof["clear"]) != b64decode(proof["payload"])[:COMMITMENT_BYTES]:
        raise ProofInvalid(f"the text is not the one of record {sequence}")
    return f"{shown}, with this text"


def _check_consistency(proof: Mapping[str, Any], keys: Sequence[VerifierKey]) -> str:
    old, new = read_checkpoint(proof["old"]), read_checkpoint(proof["new"])
    for signed in (old, new):
        signed.check(keys)
    if old.checkpoint.origin != new.checkpoint.origin:
        raise ProofInvalid(f"the checkpoints are of two logs: {old.checkpoint.origin}, {new.checkpoint.origin}")
    if not consistent(old.size, new.size, _read(proof["path"]), old.root, new.root):
        raise ProofInvalid(f"the log of {new.size} records is not shown to continue that of {old.size}")
    return f"the log {new.checkpoint.origin} of {new.size} records continues that of {old.size}"


def _written(path: Sequence[bytes]) -> list[str]:
    return [b64encode(step).decode() for step in path]


def _read(path: Sequence[str]) -> list[bytes]:
    try:
        return [b64decode(step, validate=True) for step in path]
    except binascii.Error:
        raise ProofInvalid("the path of the proof cannot be read") from None
