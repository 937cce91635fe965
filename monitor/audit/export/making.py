"""Makes an export: one pass over the log, in constant memory but for its alerts and the ends of its streams."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from monitor.audit import kinds
from monitor.audit.acts import act
from monitor.audit.export import verifier
from monitor.audit.export.pruning import LeftOut
from monitor.audit.export.selection import Filters
from monitor.audit.export.writing import HashedFile, write_file
from monitor.audit.log import SqlAuditLog
from monitor.audit.opening import Text
from monitor.audit.proof.compact import CompactRange
from monitor.audit.proof.keys import VerifierKey
from monitor.audit.proof.store import Kept, ProofStore
from monitor.audit.records import Head, NewRecord
from monitor.audit.rows import fields
from monitor.audit.stored import Stored
from monitor.audit.times import utc_text
from monitor.events.canonical import canonical
from monitor.events.schema import json_schemas

PROGRAM: Final = "safety-monitor"
READ_ME: Final = """\
This is an export of the audit log of a clinical trial's safety monitor. It holds patients' data.

To verify it:   python3 verify.py        (Python 3.9 or later; nothing else is needed)

records.jsonl    the records, one a line, with all that their hashes cover
records.csv      the same for reading, if it was asked for: one row a record
alerts.csv       one row an alert, as these records leave it
left-out.jsonl   what stands in the log's tree for the records that the filters left out
checkpoints.txt  the signed checkpoints that the log keeps
keys.txt         the keys that check their signatures: compare them with those you were given
manifest.json    who made this, when, from what, and the SHA-256 of every file
schemas/         the JSON Schema of each kind of event
FORMAT.md        how all this is made, enough to write another verifier
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for, by whom, and when. `keys` go with the export."""

    filters: Filters
    actor: str
    made_at: datetime
    csv: bool = True
    keys: Sequence[VerifierKey] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """A finished export. `records` counts those in it; `manifest_sha256` identifies it."""

    request: Request
    head: Head
    root: bytes
    records: int
    manifest_sha256: str

    @property
    def record(self) -> NewRecord:
        """The log's own record of the export (21 CFR 11.10(e))."""
        payload: dict[str, object] = {
            "filters": self.request.filters.to_json(),
            "head": _head(self.head, self.root),
            "records": self.records,
            "manifest_sha256": self.manifest_sha256,
            "patient": self.request.filters.patient,
        }
        return act(kinds.EXPORT_MADE, payload, actor=self.request.actor, at=self.request.made_at)


@dataclass(slots=True)
class _Counts:
    records: int = 0
    left_out: int = 0
    checkpoints: int = 0
    kinds: dict[str, int] = field(default_factory=dict)


class _Writer:
    """The files that grow while the log is read."""

    def __init__(self, folder: Path, request: Request) -> None:
        self.counts = _Counts()
        self.alerts = verifier.Alerts()
        self.protocols: list[dict[str, Any]] = []
        self.tree = CompactRange()
        self._folder = folder
        self._request = request
        self._left_out = LeftOut()
        names = [verifier.RECORDS, verifier.CHECKPOINTS]
        names += [verifier.LEFT_OUT] if any(request.filters.to_json().values()) else []
        names += [verifier.RECORDS_CSV, verifier.ALERTS_CSV] if request.csv else []
        self._files = {name: HashedFile(folder / name) for name in names}
        if request.csv:
            for name, headings in (
                (verifier.RECORDS_CSV, verifier.RECORD_HEADINGS),
                (verifier.ALERTS_CSV, verifier.ALERT_HEADINGS),
            ):
                self._files[name].write(verifier.BYTE_ORDER_MARK + verifier.csv_line(headings))

    def take(self, stored: Stored, text: Text | None) -> None:
        self.tree.append(stored.leaf_hash)
        row = row_of(stored, text)
        if not self._request.filters.take(stored, verifier.text_of(row)):
            self._left_out.add(stored.sequence, stored.leaf_hash)
            self.counts.left_out += 1
            return
        self.flush()
        self._files[verifier.RECORDS].write(canonical(row) + "\n")
        if self._request.csv:
            self._files[verifier.RECORDS_CSV].write(verifier.record_line(row))
        self.alerts.take(row)
        if stored.kind == kinds.PROTOCOL_ACTIVATED:
            self.protocols.append(_protocol(row))
        self.counts.records += 1
        self.counts.kinds[stored.kind] = self.counts.kinds.get(stored.kind, 0) + 1

    def checkpoint(self, kept: Kept) -> None:
        self.flush()
        self._files[verifier.CHECKPOINTS].write(f"{kept.note}\n")
        self.counts.checkpoints += 1

    def flush(self) -> None:
        for piece in self._left_out.flush():
            self._files[verifier.LEFT_OUT].write(piece.line)

    def close(self) -> dict[str, dict[str, str | int]]:
        """End all files, add those that do not grow; what the manifest says of each."""
        self.flush()
        if self._request.csv:
            for line in self.alerts.lines():
                self._files[verifier.ALERTS_CSV].write(line)
        written = {name: file.close() for name, file in self._files.items()}
        return written | {name: write_file(self._folder / name, text) for name, text in self._fixed().items()}

    def _fixed(self) -> dict[str, str]:
        package = files("monitor.audit.export")
        schemas = {f"schemas/{name}.json": _pretty(schema) for name, schema in json_schemas().items()}
        return {
            "READ-ME.txt": READ_ME,
            "FORMAT.md": package.joinpath("format.md").read_text(encoding="utf-8"),
            "verify.py": package.joinpath("verifier.py").read_text(encoding="utf-8"),
            verifier.KEYS: "".join(f"{key.line}\n" for key in self._request.keys),
            **schemas,
        }


async def make(log: SqlAuditLog, folder: Path, request: Request) -> Made:
    """Write an export into an empty folder. What is appended meanwhile is left to the next one.

    The log is copied as it is: whether it is whole, the verifier says. Raises DatabaseUnavailable, SchemaMissing,
    RecordUnreadable where the bytes of a record are no text, OSError.
    """
    store = ProofStore(log)
    newest = await store.newest()  # before the head, which is then no smaller in an honest log
    positions = await log.positions()
    head = await log.head()
    writer = _Writer(folder, request)
    reached = 0
    async for rows in log.stored(until=head.sequence):
        page = [Stored._make(row) for row in rows]
        held = {kept.size: kept for kept in await store.checkpoints(reached, page[-1].sequence)}
        texts = await log.texts(page)
        for stored in page:
            writer.take(stored, texts.get(stored.sequence))
            if stored.sequence in held:
                writer.checkpoint(held[stored.sequence])
        reached = page[-1].sequence
    if newest is not None and newest.size > reached:  # evidence of records that were cut off
        for kept in await store.checkpoints(reached, newest.size):
            writer.checkpoint(kept)
    root = writer.tree.root()
    manifest = {
        "export": verifier.EXPORT_FORMAT,
        "program": f"{PROGRAM} {version(PROGRAM)}",
        "made_at": utc_text(request.made_at),
        "made_by": request.actor,
        "filters": request.filters.to_json(),
        "head": _head(head, root),
        "files": writer.close(),
        "counts": {
            "records": writer.counts.records,
            "left_out": writer.counts.left_out,
            "checkpoints": writer.counts.checkpoints,
            "alerts": len(writer.alerts),
            "kinds": writer.counts.kinds,
        },
        "protocols": writer.protocols,
        "positions": [
            {"topic": topic, "partition": partition} | fields(position)
            for (topic, partition), position in sorted(positions.items())
        ],
    }
    text = _pretty(manifest)
    write_file(folder / verifier.MANIFEST, text)
    return Made(request, head, root, writer.counts.records, sha256(text.encode()).hexdigest())


def row_of(stored: Stored, text: Text | None) -> dict[str, Any]:
    """The columns of a record as the export has them: hashes in hexadecimal, `waited` as true or false.

    `text` is there for an encrypted record: what its payload says, and the key that shows it to be so.
    """
    columns = stored._asdict() | ({} if text is None else text._asdict())
    shown = {name: value.hex() if isinstance(value, bytes) else value for name, value in columns.items()}
    return shown | {"waited": bool(stored.waited)}


def _head(head: Head, root: bytes) -> dict[str, str | int]:
    return {"sequence": head.sequence, "running_hash": head.running_hash.hex(), "root": root.hex()}


def _protocol(row: dict[str, Any]) -> dict[str, Any]:
    try:
        found = json.loads(verifier.text_of(row) or "")
        named = {name: found[name] for name in ("id", "version", "hash", "approved_by", "why")}
    except (ValueError, KeyError, TypeError):  # a log that somebody wrote into is exported all the same
        named = {}
    return {"record": row["sequence"], "in_force_from": row["known_at"]} | named


def _pretty(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
