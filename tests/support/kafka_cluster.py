"""Several nodes of Apache Kafka that replicate, for the tests of what happens when one of them goes."""

import asyncio
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from monitor.broker import answer
from monitor.embedded import free_port
from tests.support.kafka import REPLICAS, KafkaBroker, Reached
from tests.support.kafka_libs import kafka_libs

ELECTIONS = Path("__cluster_metadata-0") / "quorum-state"  # of the controllers, as each node saw them last


@dataclass(frozen=True)
class KafkaCluster(Reached):
    """One node or several that replicate; any of them may be killed and started again."""

    nodes: Sequence[KafkaBroker]

    @property
    def bootstrap(self) -> str:
        return ",".join(node.bootstrap for node in self.nodes)

    @property
    def disks(self) -> Sequence[Path]:
        return [node.data for node in self.nodes]

    @property
    def replication(self) -> int:
        """Replicas of each partition."""
        return min(len(self.nodes), REPLICAS)

    def leader(self, topic: str, partition: int) -> KafkaBroker:
        """The node that leads a partition."""

        async def ask() -> int:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
            await admin.start()
            try:
                [described] = await answer(lambda: admin.describe_topics([topic]))
                return next(int(each["leader"]) for each in described["partitions"] if each["partition"] == partition)
            finally:
                await admin.close()

        return self._node(asyncio.run(ask()))

    def controller(self) -> KafkaBroker:
        """The node that controls the cluster, by the newest election that a node's disk knows of."""
        states = [json.loads((node.data / ELECTIONS).read_text()) for node in self.nodes]
        newest = max((state for state in states if state["leaderId"] > 0), key=lambda state: int(state["leaderEpoch"]))
        return self._node(newest["leaderId"])

    def _node(self, number: int) -> KafkaBroker:
        return next(node for node in self.nodes if node.node == number)


@contextmanager
def kafka_cluster(size: int) -> Iterator[KafkaCluster]:
    """A running cluster, with nothing on it, that does not outlive the block. Raises KafkaMissing."""
    libs = kafka_libs()
    with tempfile.TemporaryDirectory(prefix="safety-kafka-", ignore_cleanup_errors=True) as folder:
        voters = {number: free_port() for number in range(1, size + 1)}
        nodes = []
        for number in voters:
            home = Path(folder) / str(number)
            home.mkdir()
            nodes.append(KafkaBroker(libs, home, node=number, voters=voters))
        try:
            for node in nodes:
                node.format()
                node.spawn()
            for node in nodes:
                node.await_up()
            yield KafkaCluster(nodes)
        finally:
            for node in nodes:
                node.kill()
