"""An alert explained: what it rests on, then and now; why; what became of it; who was told; what people did. Pure."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from monitor.audit.records import Record
from monitor.cli.reading.facts import Told, told_in
from monitor.cli.reading.grounds import Grounds, grounds
from monitor.cli.reading.versions import by_record
from monitor.core.times import show
from monitor.notify.receipts import Attempt, receipts_in
from monitor.protocol.model import Protocol
from monitor.protocol.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Basis:
    """One record an alert rests on: the version known when it was raised, and the one that counts now.

    `then` is None where the record came to it later.
    """

    record_id: str
    then: Told | None
    now: Told

    def to_json(self) -> dict[str, object]:
        then = self.then.to_json() if self.then else None
        return {"record_id": self.record_id, "then": then, "now": self.now.to_json()}


@dataclass(frozen=True, slots=True)
class Revision:
    """One change of the alert: `changed` holds old and new of each field; when raised, nothing."""

    sequence: int
    change: str
    known_at: datetime
    recorded_at: datetime
    core: str
    facts: int | None
    changed: dict[str, tuple[Any, Any]]

    def to_json(self) -> dict[str, object]:
        changed = {name: {"old": old, "new": new} for name, (old, new) in self.changed.items()}
        times = {"known_at": show(self.known_at), "recorded_at": show(self.recorded_at)}
        return asdict(self) | times | {"changed": changed}


@dataclass(frozen=True, slots=True)
class Explanation:
    """All there is to say of one alert. `alert` is its newest content, `protocol` the file it rests on."""

    patient: str
    alert: dict[str, Any]
    protocol: Protocol
    grounds: Grounds
    basis: tuple[Basis, ...]
    revisions: tuple[Revision, ...]
    told: tuple[tuple[datetime, Attempt], ...]
    commands: tuple[Told, ...]

    def to_json(self) -> dict[str, object]:
        return {
            "patient": self.patient,
            "alert": self.alert,
            "grounds": self.grounds.to_json(),
            "basis": [each.to_json() for each in self.basis],
            "revisions": [each.to_json() for each in self.revisions],
            "told": [asdict(attempt) | {"at": show(at)} for at, attempt in self.told],
            "commands": [_command_to_json(each) for each in self.commands],
        }


def explain_alert(
    patient: str,
    reference: str,
    facts: Sequence[Record],
    decided: Sequence[Record],
    sent: Sequence[Record],
    files: Timeline,
) -> Explanation:
    """Put together what the streams of a patient (or of the system) say of one alert, which they hold."""
    content, revisions, basis = _life(reference, decided)
    file = next((each for each in files.files if each.hash == content.get("protocol")), files.latest)
    told = list(told_in(facts))
    return Explanation(
        patient=patient,
        alert=content,
        protocol=file,
        grounds=grounds(content, file),
        basis=tuple(_basis(basis, told, revisions[0])),
        revisions=tuple(revisions),
        told=tuple((record.known_at, attempt) for record, attempt in receipts_in(sent) if attempt.tells_of(reference)),
        commands=tuple(each for each in told if each.command is not None and each.command.alert_id == reference),
    )


def _life(reference: str, decided: Sequence[Record]) -> tuple[dict[str, Any], list[Revision], list[str]]:
    """The alert's newest content, its changes, and every record it ever rested on."""
    content: dict[str, Any] = {}
    revisions, basis = list[Revision](), dict[str, None]()
    for record in (each for each in decided if not each.gone):
        payload = json.loads(record.payload)
        if payload.get("alert", {}).get("alert_id") != reference:
            continue
        after = content | payload["alert"]
        changed = {
            name: (content.get(name), new) for name, new in after.items() if content and content.get(name) != new
        }
        stamp = payload.get("stamp", {})
        revisions.append(
            Revision(
                record.sequence,
                payload["change"],
                record.known_at,
                record.recorded_at,
                stamp.get("core", ""),
                stamp.get("facts"),
                changed if content else {},
            )
        )
        content = after
        basis |= dict.fromkeys(after.get("basis", ()))
    return content, revisions, list(basis)


def _basis(names: Sequence[str], told: Sequence[Told], raised: Revision) -> list[Basis]:
    found = []
    for (_, name), versions in by_record(told).items():
        if name in names:
            then = [each for each in versions if _known(each, raised)]
            found.append(Basis(name, then[-1] if then else None, versions[-1]))
    refused = [each for each in told if each.block is None and getattr(each.event, "record_id", None) in names]
    found += [Basis(str(getattr(each.event, "record_id", "")), each, each) for each in refused]
    return sorted(found, key=lambda each: (names.index(each.record_id), each.now.record.sequence))


def _known(each: Told, raised: Revision) -> bool:
    return each.record.sequence < raised.sequence and each.record.known_at <= raised.known_at


def _command_to_json(each: Told) -> dict[str, object]:
    command = each.command
    said = command.model_dump(mode="json") if command else {}
    return {"kind": each.kind, "known_at": show(each.record.known_at), "sequence": each.record.sequence, **said}
