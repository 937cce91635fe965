"""Stops under a change of the protocol file: what fired stays, the rest is assessed anew (protocol: stop rules).

A file that was in force goes on judging what could be known while it was: evidence that was first issued before its
successor came into force. A correction still counts; a change of file alone takes nothing away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from monitor.core.history import RecordKey
from monitor.core.stops import Stop
from monitor.protocol.timeline import Superseded


def fired(found: Iterable[Stop], file: Superseded) -> Iterator[Stop]:
    """Of the stops that a superseded file finds, what it could have fired on."""
    for stop in found:
        evidence = tuple(e for e in stop.evidence if e.issued < file.until)
        if evidence:
            yield replace(stop, evidence=evidence, protocol=file.protocol)


def joined(kept: Sequence[Stop], anew: Iterable[Stop]) -> list[Stop]:
    """The stops that stay as they fired, and what another file finds beside them.

    A fact that is evidence under both stays where it is, unless only the other file's stop stands: then it stands.
    """
    if not kept:
        return list(anew)
    found = list(kept)
    for stop in anew:
        mine = [held for held in found[: len(kept)] if held.rule.id == stop.rule.id]
        settled = {key for held in mine if held.lift is None or stop.lift is not None for key in held.keys}
        fresh = tuple(e for e in stop.evidence if e.key not in settled)
        if not fresh:
            continue
        moved = frozenset(e.key for e in fresh)
        home = next((held for held in mine if _same_episode(held, stop)), None)
        rest = [_without(held, moved) if held.rule.id == stop.rule.id else held for held in found]
        found = [replace(held, evidence=(*held.evidence, *fresh)) if before is home else held
                 for before, held in zip(found, rest, strict=True)]  # fmt: skip
        if home is None:
            found.append(replace(stop, evidence=fresh))
    return [stop for stop in found if stop.evidence]


def _same_episode(held: Stop, stop: Stop) -> bool:
    """A permanent stop is one episode until a decision lifts it; acute GVHD may come back."""
    same_end = (held.lift and held.lift.key) == (stop.lift and stop.lift.key)
    return same_end and (stop.permanent or bool(held.keys & stop.keys))


def _without(stop: Stop, keys: frozenset[RecordKey]) -> Stop:
    left = tuple(e for e in stop.evidence if e.key not in keys)
    return stop if left == stop.evidence else replace(stop, evidence=left)
