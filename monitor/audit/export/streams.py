"""The streams of an export, for whoever derives its decisions again."""

import json
import tempfile
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import IO

from monitor.audit import kinds
from monitor.audit.batch import Position
from monitor.audit.clock import clocks
from monitor.audit.export import verifier
from monitor.audit.export.offline import stored_of
from monitor.audit.opening import left_by
from monitor.audit.records import Record
from monitor.audit.rederiving import IN_A_THREAD, Aside, check_decisions
from monitor.audit.stored import record_of
from monitor.audit.times import utc_time
from monitor.audit.verdict import Verdict
from monitor.protocol.model import Protocol

SPOOLED = 1 << 20  # bytes; what is larger goes to the disk


class ExportedStreams:
    """Reads streams by the place of each line, of which alone memory is used. End it with `close`."""

    def __init__(self, source: verifier.Source) -> None:
        self._lines: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=SPOOLED)  # noqa: SIM115 - see close
        self._places: dict[str, list[int]] = defaultdict(list)
        self._acts: dict[int, int] = {}  # where the records of redactions stand
        with source.open(verifier.RECORDS) as file:
            for line in file:
                row = json.loads(line)
                self._places[row["stream"]].append(self._lines.tell())
                if row["kind"] == kinds.RECORD_REDACTED:
                    self._acts[row["sequence"]] = self._lines.tell()
                self._lines.write(line)

    @property
    def names(self) -> Collection[str]:
        """The streams that have records."""
        return self._places.keys()

    async def stream(self, name: str) -> list[Record]:
        """All records of one stream, in order."""
        return [self._record(place) for place in self._places.get(name, ())]

    def close(self) -> None:
        """Let go of the copy."""
        self._lines.close()

    def _record(self, place: int) -> Record:
        self._lines.seek(place)
        row = json.loads(self._lines.readline())
        redacted = row.get("redacted")
        if redacted is None:
            return record_of(stored_of(row), verifier.text_of(row) or "")
        return record_of(stored_of(row), *left_by(self._record(self._acts[redacted]), row["sequence"]))


async def decisions_of(export: verifier.Verifier, protocol: Protocol, aside: Aside = IN_A_THREAD) -> Verdict | None:
    """What became of the decisions of an export that was found whole; None where facts were left out by time.

    Each patient is derived `aside`.

    Raises verifier.BrokenError.
    """
    filters = export.manifest["filters"]
    if filters["since"] or filters["until"]:
        return None
    swept = _swept(export.manifest)
    streams = ExportedStreams(export.source)
    names = {kinds.patient_stream(filters["patient"])} if filters["patient"] else streams.names
    try:
        return await check_decisions(streams, protocol, names, until=export.walk.sequence, swept=swept, aside=aside)
    finally:
        streams.close()


def _swept(manifest: verifier.Row) -> dict[int, datetime]:
    try:
        return clocks({(each["topic"], each["partition"]): _position(each) for each in manifest["positions"]})
    except (KeyError, TypeError, ValueError):
        raise verifier.BrokenError(f"{verifier.MANIFEST}: its positions cannot be read") from None


def _position(shown: verifier.Row) -> Position:
    watermark = shown["watermark"]
    return Position(next_offset=shown["next_offset"], watermark=utc_time(watermark) if watermark else None)
