"""The versions of a record: old and new value of each field, by whom, when, and why. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from monitor.cli.reading.facts import Told
from monitor.events.envelope import Received

_OF_ITSELF: Final = frozenset({"record_version", "reason"})  # they say which version it is, and why


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that a version has otherwise than the one before; None where it was or is absent."""

    name: str
    old: Any
    new: Any

    def __str__(self) -> str:
        return f"{self.name.replace('_', ' ')}: {_text(self.old)} -> {_text(self.new)}"


def field_changes(before: Told, after: Told) -> tuple[FieldChange, ...]:
    """What differs between two versions, digit for digit as sent."""
    old, new = _standing(before), _standing(after)
    names = [name for name in dict.fromkeys([*old, *new]) if name not in _OF_ITSELF]
    return tuple(FieldChange(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name))


def _standing(one: Told) -> dict[str, Any]:
    """What was sent, with the status it stands for where none was: `final`."""
    return {**one.sent, "status": one.block.status.value if one.block else None}


def by_record(told: Iterable[Told]) -> dict[tuple[str, str], list[Told]]:
    """Facts by (source, record_id), each record's versions in order; the same content again is left out."""
    grouped: dict[tuple[str, str], list[Told]] = defaultdict(list)
    seen = set()
    for each in told:
        if each.block is None or not isinstance(each.event, Received):
            continue
        identity = (each.key, each.block.record_version, each.event.content)
        if identity not in seen:
            seen.add(identity)
            grouped[each.key].append(each)
    return {key: sorted(versions, key=lambda each: each.order) for key, versions in grouped.items()}


def version_before(versions: Sequence[Told], one: Told) -> Told | None:
    """The version that this one replaces, or None for the first."""
    return next((before for before, after in pairwise(versions) if after is one), None)


def _text(value: Any) -> str:
    return "absent" if value is None else str(value)
