"""What another protocol file would change, before anybody approves it."""

from datetime import timedelta
from typing import Any

from monitor.audit.ports import AuditLog
from monitor.audit.replay import replay
from monitor.audit.what_if import Since, what_if
from monitor.protocol.model import Protocol
from tests.audit.rig import PROTOCOL, HandClock, messages_of, recorder
from tests.core import charts
from tests.support.memory_log import MemoryAuditLog

CHART = [charts.enrolled(80), charts.azacitidine(95), charts.acute(120, skin=3), charts.marrow(130, "89")]
AFTER = charts.on_day(140)


def another(**more: Any) -> Protocol:
    return Protocol.model_validate(PROTOCOL.model_dump() | {"version": "1.1.0"} | more)


async def charted(log: AuditLog) -> None:
    clock = HandClock()
    clock.at = AFTER
    await (await recorder(log, clock, events_clock=False)).record(list(messages_of(CHART)))


async def test_alerts_that_would_go_come_and_change_are_told_apart(log: AuditLog) -> None:
    await charted(log)
    looser = another(acute_gvhd={"stop_grade": 3}, chimerism={"stop_below_percent": "80"})

    found = (await what_if(log, looser, PROTOCOL)).changes["SH-001"]

    gone = {alert["rule"] for alert in found.go}
    assert gone == {"stop.acute-gvhd", "stop.chimerism", "restart.window-invalidated"}
    assert "gvhd.boundary-grade" in {alert["rule"] for alert in found.come}
    assert found.states is not None
    assert found.states["protocol_state"] == ("stopped", "on_treatment")


async def test_a_stricter_file_raises_what_the_recorded_one_passed_over(log: AuditLog) -> None:
    await charted(log)
    found = (await what_if(log, another(chimerism={"stop_below_percent": "95"}), PROTOCOL)).changes["SH-001"]

    ((alert, changes),) = [each for each in found.change if each[0]["rule"] == "stop.chimerism"]
    assert alert["details"]["reference"] == "95"
    assert "summary" in changes


async def test_from_now_on_no_stop_goes() -> None:
    log = MemoryAuditLog()
    await charted(log)
    looser = another(acute_gvhd={"stop_grade": 3}, chimerism={"stop_below_percent": "80"})

    found = await what_if(log, looser, PROTOCOL, since=Since.NOW)

    assert found.replay.protocol == looser
    compared = found.changes.get("SH-001")
    assert compared is None or not [alert for alert in compared.go if alert["rule"].startswith("stop.")]
    assert found.replay.patients["SH-001"].snapshot()["protocol_state"] == "stopped"


async def test_one_patient_can_be_asked_about_alone(log: AuditLog) -> None:
    await charted(log)
    found = await what_if(log, another(acute_gvhd={"stop_grade": 3}), PROTOCOL, patient="SH-001")
    assert list(found.replay.patients) == ["SH-001"]


async def test_a_replay_as_of_a_clinical_time_shows_what_was_so_then(log: AuditLog) -> None:
    await charted(log)

    shown = (await replay(log, PROTOCOL, effective=charts.on_day(125))).to_json()

    assert shown["effective"] == "2025-05-06T01:00:00Z"
    patients: Any = shown["patients"]
    assert patients["SH-001"]["protocol_state"] == "held"
    assert "stop.chimerism" not in {alert["rule"] for alert in patients["SH-001"]["alerts"]}


async def test_what_was_known_then_is_another_question(log: AuditLog) -> None:
    """All was recorded on one day: before it, nothing was known."""
    await charted(log)
    assert (await replay(log, PROTOCOL, as_of=AFTER - timedelta(days=1))).to_json()["patients"] == {}
