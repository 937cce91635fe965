"""Verifies an export of a safety-monitor audit log: python3 verify.py [EXPORT] [--keys FILE]

EXPORT is a folder or a .zip (default: the folder this file lies in). Python 3.9 or later and its standard library are
all that is needed. `--keys FILE` gives verifier keys that did not come with the export, a line each. What is checked,
and how to write another verifier, stands in FORMAT.md. Exit code: 0 whole, 1 broken, 2 unusable arguments.

One file on purpose: an inspector reads it from top to bottom. The exporter shares its CSV, and nothing else.
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import hmac
import io
import json
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

EXPORT_FORMAT = 1
MANIFEST = "manifest.json"
RECORDS = "records.jsonl"
RECORDS_CSV = "records.csv"
ALERTS_CSV = "alerts.csv"
LEFT_OUT = "left-out.jsonl"
CHECKPOINTS = "checkpoints.txt"
KEYS = "keys.txt"

LONGEST_LINE = 64 * 1024 * 1024  # bytes: no honest record comes near
ZEROS = bytes(32)
PROTOCOLS = "system/protocol"
SYSTEM = "system"
ASSESSMENT_FAILED = "safety.assessment.failed.v1"
REDACTED = "safety.record.redacted.v1"
PLAIN, ENCRYPTED = 1, 2  # schemes
COMMITMENT = 32  # bytes before the ciphertext
KEY = 32  # bytes

Row = dict[str, Any]

COLUMNS = {
    "sequence": (int,),
    "scheme": (int,),
    "stream": (str,),
    "version": (int,),
    "kind": (str,),
    "recorded_at": (str,),
    "known_at": (str,),
    "waited": (bool,),
    "actor": (str,),
    "dedupe_key": (str, type(None)),
    "origin_topic": (str, type(None)),
    "origin_partition": (int, type(None)),
    "origin_offset": (int, type(None)),
    "payload": (str,),
    "salt": (str,),
    "key_id": (str, type(None)),
    "payload_hash": (str,),
    "previous_hash": (str,),
    "leaf_hash": (str,),
    "record_hash": (str,),
}
BINARY = ("salt", "payload_hash", "previous_hash", "leaf_hash", "record_hash")
SHOWN = {"clear": (str, type(None)), "key": (str, type(None)), "redacted": (int, type(None))}  # of scheme 2 alone
NOT_IN_ENVELOPE = ("payload", "salt", "leaf_hash", "record_hash")


class BrokenError(Exception):
    """What is broken, and the first record that shows it, if one can be named."""

    def __init__(self, what: str, sequence: int | None = None, stream: str | None = None) -> None:
        of_stream = f" of stream {stream}" if stream else ""
        super().__init__(what if sequence is None else f"record {sequence}{of_stream}: {what}")
        self.sequence = sequence


def require(true: bool) -> None:
    """Raises ValueError for what is not as it is written."""
    if not true:
        raise ValueError("not as it is written")


# ---- Ed25519 (RFC 8032, 5.1): verification alone, on public data, so no care is taken of timing ----

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]  # X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z
NEUTRAL = (0, 1, 1, 0)


def point_added(p: Point, q: Point) -> Point:
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def point_of(encoded: bytes) -> Point | None:
    """The point these 32 bytes stand for, or None."""
    y = int.from_bytes(encoded, "little")
    odd, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and odd):
        return None
    if x & 1 != odd:
        x = P - x
    return (x, y, 1, x * y % P)


def encoded_point(p: Point) -> bytes:
    inverse = pow(p[2], P - 2, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")) or NEUTRAL


def ed25519_signed(public: bytes, text: bytes, signature: bytes) -> bool:
    """Is this the signature of the text by the holder of the public key?"""
    key = point_of(public) if len(public) == 32 and len(signature) == 64 else None
    s = int.from_bytes(signature[32:], "little")
    if key is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + text).digest(), "little") % L
    negative = (P - key[0], key[1], key[2], P - key[3])
    sums = (NEUTRAL, BASE, negative, point_added(BASE, negative))
    found: Point = NEUTRAL
    for bit in range(max(s.bit_length(), k.bit_length()) - 1, -1, -1):  # s * BASE - k * key, both at once
        found = point_added(found, found)
        which = (s >> bit & 1) + 2 * (k >> bit & 1)
        if which:
            found = point_added(found, sums[which])
    return encoded_point(found) == signature[:32]


# ---- The tree (RFC 9162), kept as the roots of the perfect subtrees that its leaves fill ----


class Tree:
    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def append(self, root: bytes, height: int = 0) -> None:
        """Add a leaf, or the root over 2^height of them. Raises ValueError where such a subtree cannot begin."""
        if self.size & ((1 << height) - 1):
            raise ValueError(f"a subtree of height {height} cannot begin at {self.size}")
        carry = self.size >> height
        while carry & 1:
            root = hashlib.sha256(b"\x01" + self._peaks.pop() + root).digest()
            carry >>= 1
        self._peaks.append(root)
        self.size += 1 << height

    def root(self) -> bytes:
        if not self._peaks:
            return hashlib.sha256(b"").digest()
        root = self._peaks[-1]
        for left in reversed(self._peaks[:-1]):
            root = hashlib.sha256(b"\x01" + left + root).digest()
        return root


# ---- Checkpoints: signed notes (C2SP tlog-checkpoint) ----


class Key(NamedTuple):
    name: str
    id: bytes
    public: bytes


class Checkpoint(NamedTuple):
    size: int
    root: bytes
    signed_by: list[str]

    def __str__(self) -> str:
        return f"the checkpoint of {self.size} records"


def keys_in(text: str) -> list[Key]:
    """Verifier keys, NAME+ID+BASE64 a line. Raises BrokenError."""
    keys = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        try:
            name, claimed, encoded = line.strip().split("+", 2)
            key = base64.b64decode(encoded, validate=True)
            found = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
            require(len(key) == 33 and key[0] == 1 and found == bytes.fromhex(claimed))
        except ValueError:
            raise BrokenError(f"a verifier key cannot be read: {line.strip()[:100]}") from None
        keys.append(Key(name, found, key[1:]))
    return keys


def notes_in(file: IO[bytes]) -> Iterator[str]:
    """The notes of a file: each ends with its signature lines, and an empty line stands between two."""
    lines: list[str] = []
    signed = False
    for line in text_lines(file, CHECKPOINTS):
        mark = line.startswith("\u2014 ")
        if signed and not mark:
            yield "".join(lines)
            lines, signed = [], False
        if line != "\n" or lines:
            lines.append(line)
        signed = signed or mark
    if lines:
        yield "".join(lines)


def checkpoint_of(note: str, keys: Sequence[Key]) -> Checkpoint:
    """Read a note; with keys, one of them must have signed it. Raises BrokenError."""
    try:
        text, _, signatures = note.rpartition("\n\n")
        origin, size, root = text.split("\n")[:3]
        found = Checkpoint(int(size), base64.b64decode(root, validate=True), [])
        require(len(found.root) == 32 and str(found.size) == size and signatures.endswith("\n"))
        for line in signatures[:-1].split("\n"):
            mark, name, encoded = line.split(" ")
            require(mark == "\u2014")
            content = base64.b64decode(encoded, validate=True)
            key = next((key for key in keys if (key.name, key.id) == (name, content[:4]) and name == origin), None)
            if key is None:
                continue
            if not ed25519_signed(key.public, (text + "\n").encode(), content[4:]):
                raise BrokenError(f"{found}: the signature of {name}+{key.id.hex()} is not of this note")
            found.signed_by.append(f"{name}+{key.id.hex()}")
    except ValueError:
        raise BrokenError(f"{CHECKPOINTS} holds what is no checkpoint: {note[:80]!r}") from None
    if keys and not found.signed_by:
        raise BrokenError(f"{found} is signed by none of the keys")
    return found


# ---- The CSV beside the records: for reading, and compared with them ----

BYTE_ORDER_MARK = "\ufeff"  # or a spreadsheet takes the text for another alphabet
RECORD_HEADINGS = (
    "sequence", "stream", "version", "kind", "recorded_at", "known_at", "waited", "actor", "origin_topic",
    "origin_partition", "origin_offset", "payload", "record_hash",
)  # fmt: skip
ALERT_HEADINGS = (
    "patient", "alert_id", "rule", "item", "status", "priority", "review", "provisional", "effective_at", "raised_at",
    "revision", "clause", "reading", "summary", "basis", "first_record", "last_record", "last_change", "last_known_at",
)  # fmt: skip


def csv_line(values: Sequence[object]) -> str:
    """One line of CSV. A text that a spreadsheet would take for a formula gets an apostrophe before it."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([_cell(value) for value in values])
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        value = " ".join(map(str, value))
    if isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def record_line(row: Row) -> str:
    return csv_line([text_of(row) if name == "payload" else row[name] for name in RECORD_HEADINGS])


def text_of(row: Row) -> str | None:
    """What the payload says: as stored in scheme 1; in scheme 2 its text, what a redaction left of it, or None."""
    text: str | None = row["clear"] if "clear" in row else row["payload"]
    return text


class Alerts:
    """The alerts as the records leave them, one row each, in the order in which they were raised."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}

    def take(self, row: Row) -> None:
        """Follow a record; what is no change of an alert is passed over."""
        stream: str = row["stream"]
        if not stream.startswith("alert/") and row["kind"] != ASSESSMENT_FAILED:
            return
        try:
            payload = json.loads(text_of(row) or "")
            alert = payload["alert"]
            found = self._rows.setdefault(alert["alert_id"], {"first_record": row["sequence"]})
            found.update(alert)
            change = payload.get("change", "raised")
        except (ValueError, KeyError, TypeError, AttributeError):
            return
        found["patient"] = stream[len("alert/") :] if stream.startswith("alert/") else payload.get("patient")
        found.update(last_record=row["sequence"], last_change=change, last_known_at=row["known_at"])

    def lines(self) -> Iterator[str]:
        return (csv_line([row.get(name) for name in ALERT_HEADINGS]) for row in self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)


# ---- The export ----


class Source:
    """A folder or a zip; only names of the export itself are opened."""

    def __init__(self, path: Path) -> None:
        self._folder = path
        try:
            self._zip = zipfile.ZipFile(path) if path.is_file() else None
        except zipfile.BadZipFile:
            raise BrokenError(f"{path} is no zip, or a cut one") from None
        names = self._zip.namelist() if self._zip else [str(p.relative_to(path)) for p in sorted(path.rglob("*"))]
        self.names = {name.replace("\\", "/") for name in names}

    def open(self, name: str) -> IO[bytes]:
        if name not in self.names:
            raise BrokenError(f"{name} is missing")
        return self._zip.open(name) if self._zip else (self._folder / name).open("rb")


def lines_of(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(LONGEST_LINE):
        yield line


def text_lines(file: IO[bytes], name: str) -> Iterator[str]:
    for line in lines_of(file):
        try:
            yield line.decode()
        except ValueError:
            raise BrokenError(f"{name} holds a line that is no text: {line[:80]!r}") from None


def canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def row_of(line: bytes, sequence: int) -> Row:
    """The record of a line. Raises BrokenError unless the line is just what an export writes."""
    try:
        row: Row = json.loads(line)
        columns = {**COLUMNS, **SHOWN} if row["scheme"] == ENCRYPTED else COLUMNS
        good = line == canonical(row).encode() + b"\n" and row.keys() == columns.keys()
        good = good and all(type(row[name]) in types for name, types in columns.items())
        good = good and all(bytes.fromhex(row[name]).hex() == row[name] for name in BINARY)
        if good and row.get("key") is not None:  # HMAC takes a key with zeros behind it for the same
            good = len(row["key"]) == 2 * KEY and bytes.fromhex(row["key"]).hex() == row["key"]
    except (ValueError, AttributeError, RecursionError, LookupError, TypeError):
        good = False
    if not good:
        raise BrokenError(f"its line in {RECORDS} cannot be read: cut, or written otherwise", sequence)
    return row


class Piece(NamedTuple):
    """2^height records from `first` on that were left out, and the root of the tree over them."""

    first: int
    height: int
    root: bytes


def pieces_in(file: IO[bytes]) -> Iterator[Piece]:
    for line in text_lines(file, LEFT_OUT):
        try:
            row = json.loads(line)
            piece = Piece(row["first"], row["count"].bit_length() - 1, bytes.fromhex(row["root"]))
            same = {"first": piece.first, "count": 1 << piece.height, "root": piece.root.hex()}
            require(type(piece.first) is int and len(piece.root) == 32 and canonical(same) + "\n" == line)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise BrokenError(f"{LEFT_OUT} holds what is no part of the tree: {line[:80]!r}") from None
        yield piece


def selects(filters: Row, row: Row) -> bool:
    """Is the record one that these filters leave in the export?"""
    stream = row["stream"]
    if stream == PROTOCOLS:
        return True  # whoever reads decisions needs the protocol files they were made by
    since, until, patient = filters["since"], filters["until"], filters["patient"]
    if (since and row["recorded_at"] < since) or (until and row["recorded_at"] >= until):
        return False
    if not patient or stream in (f"patient/{patient}", f"alert/{patient}", f"delivery/{patient}"):
        return True
    return stream == SYSTEM and names_patient(text_of(row) or "", patient)


def names_patient(text: str, patient: str) -> bool:
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("patient") == patient


class Judge:
    """The computations a verdict rests on. The program's own verifier brings others, so that two agree or neither."""

    @staticmethod
    def payload_hash(row: Row) -> str:
        return hashlib.sha256(bytes.fromhex(row["salt"]) + row["payload"].encode()).hexdigest()

    @staticmethod
    def commitment(key: bytes, text: str) -> bytes:
        return hmac.new(key, text.encode(), hashlib.sha256).digest()

    @staticmethod
    def leaf_hash(row: Row) -> str:
        envelope = canonical({name: row[name] for name in COLUMNS if name not in NOT_IN_ENVELOPE})
        return hashlib.sha256(b"\x00" + envelope.encode()).hexdigest()

    @staticmethod
    def record_hash(row: Row) -> str:
        link = b"\x02" + bytes.fromhex(row["previous_hash"]) + bytes.fromhex(row["leaf_hash"])
        return hashlib.sha256(link).hexdigest()

    @staticmethod
    def running_hash(running: bytes, leaf: bytes) -> bytes:
        return hashlib.sha256(b"\x03" + running + leaf).digest()

    @staticmethod
    def selects(filters: Row, row: Row) -> bool:
        return selects(filters, row)

    @staticmethod
    def tree() -> Tree:
        return Tree()

    @staticmethod
    def checkpoint(note: str, keys: Sequence[Key]) -> Checkpoint:
        return checkpoint_of(note, keys)


class Redactions:
    """Payloads that were erased, until the record is met that says so: it stands behind them."""

    def __init__(self) -> None:
        self.count = 0
        self._said: dict[int, list[Row]] = {}  # by the record that redacted them

    def promise(self, row: Row) -> None:
        """A record says which later one redacted it, and what that left of it."""
        self.count += 1
        digest = None if row["clear"] is None else hashlib.sha256(row["clear"].encode()).digest()
        kept = {"sequence": row["sequence"], "key_id": row["key_id"], "left": digest}
        self._said.setdefault(row["redacted"], []).append(kept)

    def take(self, row: Row) -> None:
        """Hold a record against those that say it redacted them. Raises BrokenError."""
        for said in self._said.pop(row["sequence"], ()):
            try:
                redacted = json.loads(text_of(row) or "")
                require(row["kind"] == REDACTED)
                if redacted["left"] is None:  # all that the patient's key had encrypted
                    require(said["key_id"] in redacted["keys"])
                    residue = None
                else:
                    residue = redacted["left"][str(said["sequence"])]
                digest = None if residue is None else hashlib.sha256(residue.encode()).digest()
                require(digest == said["left"])
            except (ValueError, LookupError, TypeError, AttributeError):
                what = f"record {row['sequence']} does not say that this is what is left of it"
                raise BrokenError(what, said["sequence"]) from None

    def first_open(self) -> int | None:
        """The first redacted record whose redaction was not met."""
        return min((each["sequence"] for said in self._said.values() for each in said), default=None)


class Walk:
    """Follows an export record by record; keeps the ends of streams, log and tree, and no record."""

    def __init__(self, filters: Row, judge: Judge) -> None:
        self.filters = filters
        self._judge = judge
        self.whole = not any(filters.values())
        self.sequence = 0
        self.records = 0
        self.checkpoints = 0
        self.covered = 0  # the size of the last checkpoint that the tree agreed with
        self.running = ZEROS
        self.tree = judge.tree()
        self.streams: dict[str, tuple[int, str]] = {}
        self.redactions = Redactions()
        self._scheme = 0  # that of the first record is that of all

    def pass_over(self, piece: Piece) -> None:
        """Go past records that were left out."""
        try:
            self.tree.append(piece.root, piece.height)
        except ValueError:
            raise BrokenError(f"{LEFT_OUT}: no such part of the tree can be left out", piece.first) from None
        self.sequence += 1 << piece.height

    def take(self, row: Row) -> None:
        """Take the next record. Raises BrokenError, which says what is wrong with it."""
        sequence, stream = row["sequence"], row["stream"]
        if sequence != self.sequence + 1:
            raise BrokenError(f"is missing: the export goes on at {sequence}", self.sequence + 1)
        wrong = self._wrong(row)
        if wrong is not None:
            raise BrokenError(wrong, sequence, stream)
        if row["scheme"] == ENCRYPTED:
            if row["redacted"] is not None:
                self.redactions.promise(row)
            self.redactions.take(row)
        self._scheme = row["scheme"]
        self.sequence = sequence
        self.records += 1
        self.streams[stream] = (row["version"], row["record_hash"])
        leaf = bytes.fromhex(row["leaf_hash"])
        self.running = self._judge.running_hash(self.running, leaf)
        self.tree.append(leaf)

    def _wrong(self, row: Row) -> str | None:
        if row["scheme"] not in (PLAIN, ENCRYPTED):
            return f"its scheme {row['scheme']} is not known to this program"
        if row["scheme"] != (self._scheme or row["scheme"]):
            return f"its scheme is {row['scheme']} in a log that was begun with {self._scheme}"
        if self._judge.payload_hash(row) != row["payload_hash"]:
            return "its payload is not the one that was recorded"
        if row["scheme"] == ENCRYPTED and (wrong := self._wrong_text(row)) is not None:
            return wrong
        if not self._judge.selects(self.filters, row):
            return "it is not one that the filters of the export leave in it"
        version, before = self.streams.get(row["stream"], (0, ZEROS.hex()))
        gap = row["version"] > version + 1 and self._may_lack(row["stream"])
        if row["version"] != version + 1 and not gap:
            return f"its version is {row['version']} where {version + 1} follows in its stream"
        if row["previous_hash"] != before and not gap:
            return "it does not follow the record before it in its stream"
        if self._judge.leaf_hash(row) != row["leaf_hash"]:
            return "its envelope (what, when, who, whence) is not the one that was recorded"
        if self._judge.record_hash(row) != row["record_hash"]:
            return "its link in the chain of its stream is not the one that was recorded"
        return None

    def _wrong_text(self, row: Row) -> str | None:
        """Is what the export shows of an encrypted payload what its commitment was made over, or redacted?"""
        if row["key"] is None:
            redacted = row["redacted"] is not None and row["redacted"] > row["sequence"]
            return None if redacted else "its key is gone, or false, and no record says that it was redacted"
        try:
            committed = base64.b64decode(row["payload"], validate=True)[:COMMITMENT]
            same = (
                row["redacted"] is None and self._judge.commitment(bytes.fromhex(row["key"]), row["clear"]) == committed
            )
        except (ValueError, AttributeError):
            same = False
        return None if same else "its text is not the one that was recorded"

    def _may_lack(self, stream: str) -> bool:
        """May records of the stream be left out? By time, and of what the daemon does to itself by patient."""
        timed = self.filters["since"] or self.filters["until"]
        return stream != PROTOCOLS and bool(timed or (self.filters["patient"] and stream == SYSTEM))

    def hold(self, checkpoint: Checkpoint) -> None:
        """Hold the tree against a checkpoint of as many records."""
        if self.tree.root() != checkpoint.root:
            what = f"it, or one up to {checkpoint.size}, is not what {checkpoint} was made over"
            raise BrokenError(what, self.covered + 1)
        self.covered = checkpoint.size
        self.checkpoints += 1


class Verifier:
    """Verifies one export. `keys`: verifier keys from elsewhere; without them those of the export are used."""

    def __init__(self, path: Path, keys: Sequence[Key] = (), judge: Judge = Judge()) -> None:  # noqa: B008 - no state
        self.source = Source(path)
        self.manifest_bytes, self.manifest = self._manifest()
        self.own_keys = not keys
        self.keys = list(keys) or (keys_in(self._text(KEYS)) if KEYS in self.source.names else [])
        self.walk = Walk(self.manifest["filters"], judge)
        self._pieces = self._opened(LEFT_OUT, pieces_in)
        self._checkpoints = (judge.checkpoint(note, self.keys) for note in self._opened(CHECKPOINTS, notes_in))
        self._next_piece = next(self._pieces, None)
        self._next_checkpoint = next(self._checkpoints, None)

    def _opened(self, name: str, reader: Any) -> Any:
        return reader(self.source.open(name)) if name in self.manifest["files"] else iter(())

    def _text(self, name: str) -> str:
        with self.source.open(name) as file:
            return "".join(text_lines(file, name))

    def _manifest(self) -> tuple[bytes, Row]:
        with self.source.open(MANIFEST) as file:
            content = file.read(LONGEST_LINE)
        try:
            manifest: Row = json.loads(content)
            head, filters, files = manifest["head"], manifest["filters"], manifest["files"]
            require(manifest["export"] == EXPORT_FORMAT and type(head["sequence"]) is int and RECORDS in files)
            require(all(isinstance(head[name], str) for name in ("running_hash", "root")))
            require(all(isinstance(filters[name], (str, type(None))) for name in ("patient", "since", "until")))
            require(all({"sha256", "bytes"} <= set(each) for each in files.values()))
            require({"made_at", "made_by", "program"} <= set(manifest))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            what = f"{MANIFEST} cannot be read: this program knows exports of format {EXPORT_FORMAT}"
            raise BrokenError(what) from None
        return content, manifest

    def verify(self) -> None:
        """Raises BrokenError with the first thing that is broken."""
        alerts = Alerts()
        table = Table(self, RECORDS_CSV, RECORD_HEADINGS)
        with self.source.open(RECORDS) as file:
            for line in lines_of(file):
                self._pass_over()
                row = row_of(line, self.walk.sequence + 1)
                self.walk.take(row)
                self._hold()
                alerts.take(row)
                table.expect(record_line(row), row["sequence"])
        self._pass_over()
        self._check_end()
        table.end()
        table = Table(self, ALERTS_CSV, ALERT_HEADINGS)
        for each in alerts.lines():
            table.expect(each, None)
        table.end()
        for name, expected in sorted(self.manifest["files"].items()):
            self._check_file(name, expected)

    def _pass_over(self) -> None:
        while self._next_piece is not None and self._next_piece.first == self.walk.sequence + 1:
            if self.walk.whole:
                raise BrokenError("it is left out of an export without filters", self._next_piece.first)
            self.walk.pass_over(self._next_piece)
            self._next_piece = next(self._pieces, None)
            self._hold()

    def _hold(self) -> None:
        while self._next_checkpoint is not None and self._next_checkpoint.size <= self.walk.sequence:
            if self._next_checkpoint.size < self.walk.sequence:
                raise BrokenError(f"{self._next_checkpoint} stands where it cannot be held against the tree")
            self.walk.hold(self._next_checkpoint)
            self._next_checkpoint = next(self._checkpoints, None)

    def _check_end(self) -> None:
        head, walk = self.manifest["head"], self.walk
        if self._next_piece is not None:
            raise BrokenError(f"is missing: {LEFT_OUT} goes on at {self._next_piece.first}", walk.sequence + 1)
        if walk.sequence < head["sequence"]:
            raise BrokenError(f"is missing: the export ends before its head, {head['sequence']}", walk.sequence + 1)
        if walk.sequence > head["sequence"]:
            raise BrokenError("it is beyond the head of the export", head["sequence"] + 1)
        if walk.tree.root().hex() != head["root"] or (walk.whole and walk.running.hex() != head["running_hash"]):
            raise BrokenError("the head was made over other records than these", head["sequence"])
        if self._next_checkpoint is not None:
            raise BrokenError(f"is missing: {self._next_checkpoint} counts it", walk.sequence + 1)
        lost = walk.redactions.first_open()
        if lost is not None and not (walk.filters["since"] or walk.filters["until"]):
            raise BrokenError("the record that redacted it is not in the export", lost)

    def _check_file(self, name: str, expected: Row) -> None:
        digest, size = hashlib.sha256(), 0
        with self.source.open(name) as file:
            while block := file.read(1 << 20):
                digest.update(block)
                size += len(block)
        if (digest.hexdigest(), size) != (expected["sha256"], expected["bytes"]):
            raise BrokenError(f"{name} is not the file that was exported")

    def told(self) -> list[str]:
        """The verdict on an export that is whole, in plain words."""
        walk, filters = self.walk, {name: each for name, each in self.manifest["filters"].items() if each}
        asked = ", ".join(f"{name} {each}" for name, each in filters.items()) or "no filters: all of the log"
        by = f"by {self.manifest['made_by']} with {self.manifest['program']}"
        lines = [f"An export of {self.manifest['made_at']} {by}; {asked}."]
        lines.append(f"{walk.records} of {walk.sequence} records, of {len(walk.streams)} streams: each is as recorded.")
        if walk.redactions.count:
            lines.append(
                f"{walk.redactions.count} of them are redacted: what is left of them is what their redaction left."
            )
        if walk.checkpoints:
            lines.append(f"The tree over the log agrees with {walk.checkpoints} checkpoints; {self._signatures()}.")
        if newer := walk.sequence - walk.covered:
            lines.append(
                f"The last {newer} records of the log are under no checkpoint: this export alone speaks for them."
            )
        digest = hashlib.sha256(self.manifest_bytes).hexdigest()
        lines.append(f"Its manifest has the SHA-256 {digest}: the log's own record of this export says the same.")
        others = sorted(self.source.names - set(self.manifest["files"]) - {MANIFEST} - folders(self.manifest["files"]))
        lines += [f"Not of the export, and not looked at: {name}" for name in others]
        return [*lines, "WHOLE"]

    def _signatures(self) -> str:
        if not self.keys:
            return "their signatures were not looked at, for there is no key (--keys FILE)"
        names = ", ".join(f"{key.name}+{key.id.hex()}" for key in self.keys)
        if self.own_keys:
            return f"they are signed by {names}, a key that came with the export: compare it with the one you hold"
        return f"they are signed by {names}, the key you gave"


class Table:
    """A CSV of the export, compared with what the records say; an export without it has none to compare."""

    def __init__(self, verifier: Verifier, name: str, headings: Sequence[str]) -> None:
        self._name = name
        self._file = verifier.source.open(name) if name in verifier.manifest["files"] else None
        self.expect(BYTE_ORDER_MARK + csv_line(headings), None)

    def expect(self, line: str, sequence: int | None) -> None:
        expected = line.encode()
        if self._file is not None and self._file.read(len(expected)) != expected:
            raise BrokenError(f"{self._name} says something else than the records", sequence)

    def end(self) -> None:
        if self._file is not None and self._file.read(1):
            raise BrokenError(f"{self._name} holds lines that are in no record")


def folders(names: Sequence[str]) -> set[str]:
    return {str(parent) for name in names for parent in Path(name).parents}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("export", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--keys", type=Path, help="verifier keys that did not come with the export")
    options = parser.parse_args(arguments)
    if not options.export.exists():
        parser.error(f"there is no {options.export}")
    try:
        keys = keys_in(options.keys.read_text(encoding="utf-8")) if options.keys else []
    except (BrokenError, OSError, ValueError) as error:
        parser.error(f"--keys {options.keys}: {error}")
    if options.keys and not keys:  # else the export's own keys would vouch for it, unasked
        parser.error(f"--keys {options.keys}: there is no key in it")
    try:
        verifier = Verifier(options.export, keys)
        verifier.verify()
    except (BrokenError, OSError, zipfile.BadZipFile, EOFError, zlib.error) as error:
        print(f"BROKEN: {error}", file=sys.stderr)
        return 1
    print("\n".join(verifier.told()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
