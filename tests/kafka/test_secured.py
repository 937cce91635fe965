"""Over TLS with SCRAM-SHA-512: every command goes through, a stranger does not, and no secret is ever printed."""

from pathlib import Path

import pytest

from monitor.broker import ALL_TOPICS
from tests.engine.wire import platelets, publish
from tests.kafka.secured import SECRET, Secured
from tests.support.reading import recorded_messages
from tests.support.waiting import wait_until


def test_worker_publish_and_topics_go_through_and_nothing_shows_the_password(secured: Secured, tmp_path: Path) -> None:
    lines = tmp_path / "events.jsonl"
    lines.write_bytes(b"\n".join(platelets("SH-001", number) for number in range(20)))
    with secured.worker(tmp_path) as worker:
        made = worker.run("topics", "apply")
        assert f"{len(ALL_TOPICS)} topics made" in made.stdout, made.stderr
        worker.start_ready()
        published = worker.run("publish", str(lines))
        assert published.returncode == 0, published.stderr
        wait_until(lambda: recorded_messages(worker.database_url) >= 20, "the messages are on the log")
        sent = recorded_messages(worker.database_url) + publish(worker.settings, [platelets("SH-002", 50)])
        wait_until(lambda: recorded_messages(worker.database_url) >= sent, "and those of another client")
        printed = repr(worker.settings) + worker.settings.model_dump_json() + worker.fetch("readyz")
        assert worker.stop() == 0
        said = worker.log.read_text() + made.stdout + made.stderr + published.stdout + published.stderr + printed
    assert SECRET not in said
    assert "**********" in printed


def test_plain_shows_the_password_within_tls_alone(secured: Secured, tmp_path: Path) -> None:
    with secured.worker(tmp_path, mechanism="PLAIN") as plain:
        made = plain.run("topics", "apply")
    assert made.returncode == 0, made.stderr


@pytest.mark.parametrize("command", [("topics", "apply"), ("publish", "-")])
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "PLAIN"])
def test_a_wrong_password_is_refused_in_one_line_that_does_not_show_it(
    secured: Secured, tmp_path: Path, command: tuple[str, ...], mechanism: str
) -> None:
    with secured.worker(tmp_path, password="s3cret-of-a-stranger", mechanism=mechanism) as stranger:
        refused = stranger.run(*command)
    assert refused.returncode == 1
    assert "s3cret" not in refused.stdout + refused.stderr
    assert refused.stderr.splitlines()[-1].startswith("safety-monitor: ")
