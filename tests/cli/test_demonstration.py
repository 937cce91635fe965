import asyncio
from email.message import EmailMessage
from pathlib import Path

import pytest
import yaml

from monitor.cli.demonstration.exposition import Exposition
from monitor.cli.demonstration.notices import mail_of
from monitor.cli.demonstration.process import Worker, run_command, running_worker
from monitor.cli.demonstration.stage import INVESTIGATOR, OFFICER, OPERATIONS, Stage
from monitor.cli.demonstration.streaming import Patience
from monitor.embedded import free_port
from monitor.errors import MonitorError
from monitor.metrics import Metrics
from monitor.notify.routing import load_routing


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path, "kafka://127.0.0.1:1", free_port())


def test_numbers_are_read_off_the_metrics_that_we_expose() -> None:
    metrics = Metrics(kinds={"safety.lab.resulted.v1"}, rules={"stop.relapse"})
    for outcome in ("recorded", "recorded", "waiting", "refused", "failed"):
        metrics.event_seen("safety.lab.resulted.v1", outcome)
    metrics.duplicate_dropped()
    metrics.alert_changed("stop.relapse", "high", "raised")
    metrics.alert_changed("stop.relapse", "high", "resolved")

    seen = Exposition(metrics.exposition().decode())

    assert seen.taken == 5
    assert seen.raised == 1
    assert seen.total("safety_events_total", outcome="recorded") == 2
    assert seen.total("safety_nothing") == 0


def test_patience_runs_out_only_when_nothing_moves() -> None:
    patience = Patience(limit=-1)
    patience.spend(1, "one")
    patience.spend(2, "two")

    with pytest.raises(MonitorError, match=r"nothing has moved .* still two"):
        patience.spend(2, "still two")


def test_the_worker_gets_this_stage_and_nothing_of_the_callers_settings(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAFETY_MONITOR_BROKER_PASSWORD", "the caller's own")

    environment = stage.environment()

    assert "SAFETY_MONITOR_BROKER_PASSWORD" not in environment
    assert environment["SAFETY_MONITOR_DATABASE_URL"] == f"sqlite:///{stage.database}"
    assert "PATH" in environment


def test_the_routing_file_is_one_that_the_monitor_accepts(stage: Stage) -> None:
    names = (OFFICER, INVESTIGATOR, OPERATIONS)
    stage.write_routing({name: f"mailto://127.0.0.1:25?to={name}@example.org" for name in names})

    routing = load_routing(stage.routing, {})

    assert set(routing.priorities.high.recipients) == {OFFICER, INVESTIGATOR}
    assert yaml.safe_load(stage.routing.read_text())["format"] == 1


def test_an_alerts_mail_is_found_by_its_reference() -> None:
    mails = []
    for reference in ("a-1", "a-2"):
        mail = EmailMessage()
        mail["Subject"] = reference
        mail.set_content(f"HIGH PRIORITY\n\nReference: {reference}, revision 1 (stop.relapse)\n")
        mails.append(mail)

    found = mail_of(mails, "a-2")

    assert found is not None
    assert found["Subject"] == "a-2"
    assert mail_of(mails, "a-3") is None


async def test_a_worker_that_cannot_start_is_told_with_its_last_words(stage: Stage) -> None:
    stage.routing.write_text("format: 99\n")

    with pytest.raises(MonitorError, match=r"the worker ended with code 2 .*routing file"):
        async with running_worker(stage):
            pytest.fail("it must not become ready")


async def test_what_a_command_says_and_how_it_ends_is_kept(stage: Stage) -> None:
    said = await run_command(stage, "generate", "--patients", "0", "--seed", "1")

    assert said.code == 2
    assert said.err.startswith("safety-monitor: ")


async def test_a_worker_is_killed_if_it_does_not_stop(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    import aiohttp

    from monitor.cli.demonstration import process

    monkeypatch.setattr(process, "STOP_LIMIT", 0.2)
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    child = await asyncio.create_subprocess_exec("python", "-c", deaf, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    await child.stdout.readline()
    async with aiohttp.ClientSession() as session:
        assert await Worker(stage, child, session).stop() == -9
