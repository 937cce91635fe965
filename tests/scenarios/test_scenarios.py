"""Every history of this folder, and what its expectation says of it; each file names only what it is about."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.core.simulation import Simulation
from monitor.protocol.model import Protocol

FOLDER = Path(__file__).parent
NAMES = sorted(path.name.removesuffix(".expect.json") for path in FOLDER.glob("*.expect.json"))
SITE = ZoneInfo("Asia/Shanghai")
STATES = ("protocol_state", "treatment_state")


@pytest.mark.parametrize("name", NAMES)
def test_history(name: str) -> None:
    expected = json.loads((FOLDER / f"{name}.expect.json").read_text())
    protocol = Protocol.load(FOLDER / expected["protocol"] if "protocol" in expected else None)
    simulation = Simulation(protocol, until=datetime.fromisoformat(expected["until"]))
    for line in (FOLDER / f"{name}.events.jsonl").read_bytes().splitlines():
        simulation.read(line)
    assert shortfalls(expected, json.loads(json.dumps(simulation.result()))) == [], expected["title"]


def test_every_history_is_expected_to_come_to_something() -> None:
    events = {path.name.removesuffix(".events.jsonl") for path in FOLDER.glob("*.events.jsonl")}
    assert events == set(NAMES)


def shortfalls(expected: dict[str, Any], shown: dict[str, Any]) -> list[str]:
    """Where what came out is not what was expected."""
    found = differences(expected, shown, ("duplicates",))
    if "quarantined" in expected:
        reasons = sorted(refusal["reason"] for refusal in shown["quarantined"])
        if reasons != sorted(expected["quarantined"]):
            found.append(f"quarantined: {reasons}")
    for patient, wanted in expected.get("patients", {}).items():
        found += [f"{patient}: {fault}" for fault in of_patient(wanted, shown["patients"][patient])]
    return found


def of_patient(wanted: dict[str, Any], shown: dict[str, Any]) -> list[str]:
    found = differences(wanted, shown, STATES)
    found += differences(wanted.get("eligibility") or {}, shown["eligibility"])
    if "window" in wanted:
        found += of_window(wanted["window"], shown["restart_window"])
    pool = list(shown["alerts"])
    for need in wanted.get("alerts", []):
        hit = next((alert for alert in pool if fits(need, alert)), None)
        if hit is None:
            found.append(f"no alert like {need} among {[a for a in shown['alerts'] if a['rule'] == need['rule']]}")
        else:
            pool.remove(hit)
    for rule in wanted.get("absent", []):
        unasked = [a for a in shown["alerts"] if not any(fits(need, a) for need in wanted.get("alerts", []))]
        found += [f"unwanted: {a}" for a in unasked if is_of(rule, a["rule"]) and a["status"] != "withdrawn"]
    return found


def of_window(wanted: dict[str, Any] | None, shown: dict[str, Any] | None) -> list[str]:
    if wanted is None or shown is None:
        return [] if wanted == shown else [f"restart_window: {shown}"]
    found = differences({key: value for key, value in wanted.items() if key != "readiness"}, shown)
    return found + differences(wanted.get("readiness", {}), shown.get("readiness") or {})


def differences(wanted: dict[str, Any], shown: dict[str, Any], keys: tuple[str, ...] | None = None) -> list[str]:
    asked = {key: value for key, value in wanted.items() if keys is None or key in keys}
    return [f"{key}: {shown.get(key)}" for key, value in asked.items() if shown.get(key) != value]


def fits(need: dict[str, Any], alert: dict[str, Any]) -> bool:
    """Does an alert have all that is asked for? `..._on` is the local day of `..._at`; a basis is a set."""
    has: Any
    for key, value in need.items():
        if key in ("effective_on", "raised_on"):
            has = local_day(alert[key.replace("_on", "_at")])
        elif key == "details":
            has = {name: alert["details"].get(name) for name in value}
        elif key == "basis":
            has, value = sorted(alert["basis"]), sorted(value)
        else:
            has = alert.get(key)
        if has != value:
            return False
    return True


def is_of(pattern: str, rule: str) -> bool:
    return rule.startswith(pattern[:-1]) if pattern.endswith(".*") else rule == pattern


def local_day(stamp: str) -> str:
    return stamp if len(stamp) == 10 else datetime.fromisoformat(stamp).astimezone(SITE).date().isoformat()
