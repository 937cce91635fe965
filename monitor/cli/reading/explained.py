"""An explanation as text: sections with headings, times of the site. Pure."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from monitor.audit.times import utc_time
from monitor.cli.reading.course import noticed
from monitor.cli.reading.explanation import Basis, Explanation, Revision
from monitor.cli.reading.facts import Told
from monitor.cli.reading.opening import local
from monitor.cli.reading.versions import field_changes
from monitor.notify.figures import plain

# Fields of an alert that say nothing beside the change itself.
_OF_ITSELF = frozenset({"revision", "alert_id"})


def as_text(found: Explanation, tz: ZoneInfo) -> str:
    """The whole explanation for a reader."""
    sections = {
        "": _head(found, tz),
        "WHAT IT RESTS ON": [line for each in found.basis for line in _basis(each, tz)] or ["no record of the patient"],
        "WHY": _why(found),
        "WHAT BECAME OF IT": [line for each in found.revisions for line in _revision(each, tz)],
        "WHO WAS TOLD": [f"{local(at, tz)}  {noticed(attempt)}" for at, attempt in found.told] or ["nobody, so far"],
        "WHAT PEOPLE DID": [_command(each, tz) for each in found.commands] or ["nobody has said anything, so far"],
    }
    blocks = ["\n".join([heading, *(f"  {line}" for line in lines)] if heading else lines)
              for heading, lines in sections.items()]  # fmt: skip
    return "\n\n".join([*blocks, f"Times are those of the site ({tz.key}). The monitor gives no orders."])


def _head(found: Explanation, tz: ZoneInfo) -> list[str]:
    alert = found.alert
    flags = [flag for flag in ("provisional", "boundary", "review") if alert.get(flag)]
    standing = ", ".join([f"{alert['priority']} priority", alert["status"], *flags])
    whose = f" of patient {found.patient}" if found.patient else ""
    lines = [
        f"{found.grounds.title}: alert {alert['alert_id']}{whose}",
        f"{alert['rule']}, {standing}, revision {alert['revision']}",
        plain(alert["summary"], tz),
        f"It was so from {_when(alert['effective_at'], tz)}; the monitor raised it {_when(alert['raised_at'], tz)}.",
    ]
    if outcome := alert.get("details", {}).get("outcome"):
        lines.append(f"It has ended: {str(outcome).replace('_', ' ')}.")
    return lines


def _basis(each: Basis, tz: ZoneInfo) -> Iterator[str]:
    shown = each.then or each.now
    label = "" if each.then else " (came to it later)"
    yield f"{shown.kind}, record {each.record_id} from {shown.event.source}{label}"
    yield f"  {'then' if each.then else 'now'}: {_version(shown, tz)}"
    if each.then is not None and each.now is not each.then:
        reason = f": {each.now.block.reason}" if each.now.block and each.now.block.reason else ""
        yield f"  now:  {_version(each.now, tz)}{reason}"
        yield from (f"        {change}" for change in field_changes(each.then, each.now))


def _version(each: Told, tz: ZoneInfo) -> str:
    block = each.block
    numbered = f"version {block.record_version} ({block.status.value}): " if block else ""
    issued = f", issued {local(each.event.time, tz)}" if each.event.time else ""
    times = f"effective {local(each.effective, tz)}{issued}, known {local(each.record.known_at, tz)}"
    line = f"{numbered}{each.figures}; {times}, by {each.record.actor} (log record {each.record.sequence})"
    return f"{line}; {redaction}" if (redaction := each.redaction(tz)) else line


def _why(found: Explanation) -> list[str]:
    why = found.grounds
    lines = [why.means]
    if why.clause:
        lines.append(f"Clause {why.clause}" + (f': "{why.words}"' if why.words else ""))
    if why.reading:
        lines.append(f"Reading: {why.reading}, that is: {why.reading_in_words}")
        lines += [f"Other reading: {other}" for other in why.alternatives]
    if why.thresholds:
        limits = (f"{name.replace('_', ' ')} {value}" for name, value in why.thresholds.items())
        lines.append(f"Limits of the protocol file: {', '.join(limits)}")
    details = {name: value for name, value in found.alert.get("details", {}).items() if value is not None}
    if details:
        lines.append(
            "Details: " + ", ".join(f"{name.replace('_', ' ')} {_shown(each)}" for name, each in details.items())
        )
    return [*lines, f"What the protocol says: {why.protocol_says}", f"Protocol file: {why.protocol}"]


def _revision(each: Revision, tz: ZoneInfo) -> Iterator[str]:
    version = f", by rules {each.core}" if each.core else ""
    read = f", {each.facts} records read" if each.facts is not None else ""
    yield f"{local(each.known_at, tz)}  {each.change} (log record {each.sequence}{version}{read})"
    for name, (old, new) in each.changed.items():
        if name not in _OF_ITSELF:
            yield f"    {name.replace('_', ' ')}: {_shown(old)} -> {_shown(new)}"


def _command(each: Told, tz: ZoneInfo) -> str:
    command = each.command
    note = f": {command.note}" if command and command.note else ""
    until = f" until {_when(str(each.sent['until']), tz)}" if "until" in each.sent else ""
    return f"{local(each.record.known_at, tz)}  {each.kind}{until} by {each.record.actor}{note}"


def _when(text: str, tz: ZoneInfo) -> str:
    moment: date | datetime = utc_time(text) if "T" in text else date.fromisoformat(text)
    return local(moment, tz)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "absent" if value is None else str(value)
