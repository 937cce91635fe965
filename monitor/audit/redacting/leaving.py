"""What is left of a record: all that rules read, and marks in the place of what people wrote."""

import json
import secrets
from collections.abc import Sequence

from monitor.audit import kinds
from monitor.audit.records import Record
from monitor.errors import UsageError
from monitor.events.canonical import canonical
from monitor.events.residue import residue


class Marks(dict[str, str]):
    """Erased texts and what stands in their place: equal texts have equal marks, and no mark tells of its text."""

    def of(self, text: str) -> str:
        """The mark of a text."""
        return self.setdefault(text, f"[redacted {secrets.token_hex(4)}]")


def what_is_left(record: Record, marks: Marks) -> str:
    """What is left of a record. Raises UsageError for a kind that nobody writes free text into."""
    if record.gone:
        raise UsageError(f"record {record.sequence} is redacted already, and nothing is left of it")
    if record.kind in (kinds.RECORD_REDACTED, kinds.RETRY_ASKED):
        payload = json.loads(record.payload)
        return canonical(payload | {"why": marks.of(payload["why"])})
    if record.kind == kinds.LOG_READ:
        payload = json.loads(record.payload)
        return canonical(payload | {"asked": {name: marks.of(each) for name, each in payload["asked"].items()}})
    if kinds.patient_of(record.stream) is None and record.kind != kinds.INPUT_REFUSED:
        raise UsageError(f"record {record.sequence} ({record.kind}) holds no free text of its own: redact its fact")
    try:
        return residue(record.payload, marks.of)
    except (ValueError, KeyError) as error:
        what = f"record {record.sequence} ({record.kind}) holds no free text"
        raise UsageError(f"{what}: nothing of it can be redacted but with its patient") from error


def details(targets: Sequence[Record], marks: Marks) -> dict[str, str]:
    """What refusals among these records said, and the marks of it."""
    refused = [json.loads(each.payload)["detail"] for each in targets if each.kind == kinds.INPUT_REFUSED]
    return {detail: marks.of(detail) for detail in refused}
