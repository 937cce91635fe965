"""Three brokers that replicate, one of them lost while a worker works: leaders and controllers change, nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.wire import platelets, publish
from tests.support.kafka import KafkaBroker
from tests.support.kafka_cluster import KafkaCluster
from tests.support.reading import assert_results_once, recorded_messages
from tests.support.waiting import wait_until
from tests.support.worker import worker_process

TOPIC = "safety.lab"


def _leader(cluster: KafkaCluster) -> KafkaBroker:
    """Of the partition of the one patient; the others have the clock's steps alone."""
    held = cluster.held(TOPIC)
    return cluster.leader(*max(held, key=lambda place: held[place].end))


@pytest.mark.parametrize("whose", [_leader, KafkaCluster.controller], ids=["leader", "controller"])
@pytest.mark.parametrize("end", [KafkaBroker.kill, KafkaBroker.stop], ids=["killed", "stopped"])
def test_a_broker_of_three_goes_while_the_worker_works(
    cluster: KafkaCluster,
    tmp_path: Path,
    whose: Callable[[KafkaCluster], KafkaBroker],
    end: Callable[[KafkaBroker], None],
) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    with worker_process(cluster, url, tmp_path) as worker:
        worker.start_ready()
        sent = publish(worker.settings, [platelets("SH-001", number) for number in range(100)])
        wait_until(lambda: recorded_messages(url) > 0, "the worker is in the middle of it")
        gone = whose(cluster)
        end(gone)
        sent += publish(worker.settings, [platelets("SH-001", number) for number in range(100, 200)])
        wait_until(lambda: recorded_messages(url) == sent, f"all is read from the two others; worker:\n{worker.said()}")
        gone.start()
        sent += publish(worker.settings, [platelets("SH-001", number) for number in range(200, 300)])
        wait_until(lambda: recorded_messages(url) == sent, f"all is read from the three; worker:\n{worker.said()}")
        wait_until(worker.ready, "the worker is ready")
        assert worker.stop() == 0
    assert_results_once(url, 300)
