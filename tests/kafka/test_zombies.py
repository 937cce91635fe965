"""A worker that was away for longer than its session, and comes back with a batch that another has recorded since."""

import signal
from pathlib import Path

from tests.engine.wire import platelets, publish
from tests.support.kafka import KafkaBroker
from tests.support.postgres import PostgresCluster
from tests.support.proxy import proxy_to
from tests.support.reading import assert_results_once, recorded_messages
from tests.support.waiting import wait_until
from tests.support.worker import worker_process

FENCED = 75


def test_a_worker_frozen_with_a_batch_in_hand_is_fenced_when_it_wakes(
    kafka: KafkaBroker, postgres: PostgresCluster, postgres_url: str, tmp_path: Path
) -> None:
    (tmp_path / "second").mkdir()
    with proxy_to(postgres.port) as proxy:
        behind = postgres_url.replace(f":{postgres.port}/", f":{proxy.port}/")
        with (
            worker_process(kafka, behind, tmp_path, INSTANCE="frozen", GROUP="both") as frozen,
            worker_process(kafka, postgres_url, tmp_path / "second", INSTANCE="heir", GROUP="both") as heir,
        ):
            assert frozen.run("database", "upgrade").returncode == 0
            frozen.start_ready()
            proxy.hold()  # what it reads from now on stays in its hand
            sent = publish(frozen.settings, [platelets(f"SH-{number:03}", number) for number in range(60)])
            wait_until(lambda: "a batch has been in hand" in frozen.fetch("readyz"), "it has a batch in hand")
            assert frozen.process is not None
            frozen.process.send_signal(signal.SIGSTOP)
            heir.start_ready()
            wait_until(lambda: recorded_messages(postgres_url) == sent, "the heir has recorded all")
            proxy.mend()
            frozen.process.send_signal(signal.SIGCONT)
            assert frozen.ended() == FENCED
            assert "is held by heir" in frozen.said()
            assert heir.stop() == 0
    assert_results_once(postgres_url, 60)
