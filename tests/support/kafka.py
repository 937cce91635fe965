"""A real Apache Kafka for the tests: a KRaft node of Maven Central's jars, on free ports of the loopback."""

import asyncio
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from monitor.agents.held import Held, look
from monitor.audit.batch import Position
from monitor.broker import PARTITIONS
from monitor.embedded import HOST, free_port
from monitor.settings import Settings
from tests.support.kafka_libs import kafka_libs

START_LIMIT = 60.0  # seconds; it takes three on an idle machine
CLUSTER = "c2FmZXR5LW1vbml0b3Itdw"  # any id of 16 bytes that does not begin with a dash
# The heap holds a test's messages; the first compiler alone, since no test is as long as the second one's work.
JAVA = ("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")
REPLICAS = 3  # of each partition on a cluster
IN_SYNC = 2  # replicas that must have a message before it is acknowledged


class Reached:
    """What a client sees of one node or of many."""

    @property
    def bootstrap(self) -> str:
        """The address, or addresses, as Kafka clients want them."""
        raise NotImplementedError

    @property
    def disks(self) -> Sequence[Path]:
        """Where topics are kept: a folder for each partition, on each node."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        """The address as the settings want it."""
        return f"kafka://{self.bootstrap}"

    def end(self, *topics: str) -> int:
        """How many messages these topics have taken: the sum of their partitions' next offsets."""
        return sum(held.end for held in self.held(*topics).values())

    def held(self, *topics: str) -> dict[tuple[str, int], Held]:
        """What it holds of these topics, three partitions each."""
        nothing = {(topic, partition): Position(next_offset=0) for topic in topics for partition in range(PARTITIONS)}
        return asyncio.run(look(Settings.model_validate({"broker_url": self.url}), nothing))


@dataclass
class KafkaBroker(Reached):
    """One node: starts on the same ports and data as often as it is told to, after a stop or a kill."""

    libs: Path
    home: Path
    others: Mapping[str, str] = field(default_factory=dict)
    scram: tuple[str, ...] = ()
    protocol: str = "PLAINTEXT"
    node: int = 1
    voters: Mapping[int, int] = field(default_factory=lambda: {1: free_port()})  # node: its controller's port
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def data(self) -> Path:
        """Where it keeps its topics: a folder for each partition."""
        return self.home / "data"

    @property
    def disks(self) -> Sequence[Path]:
        return (self.data,)

    def format(self) -> None:
        """Make its storage."""
        (self.home / "server.properties").write_text("".join(f"{k}={v}\n" for k, v in self._properties().items()))
        users = [word for user in self.scram for word in ("--add-scram", user)]
        command = self._java("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", *self._file(), *users)
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        """Start it and wait until it accepts."""
        self.spawn()
        self.await_up()

    def spawn(self) -> None:
        """Start it, without waiting: of several nodes none accepts before most of them are there."""
        with (self.home / "broker.log").open("ab") as output:
            self.process = subprocess.Popen(
                self._java("kafka.Kafka", *self._file()), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    def await_up(self) -> None:
        """Wait until it accepts."""
        assert self.process is not None
        limit = time.monotonic() + START_LIMIT
        while not self.accepts():
            assert self.process.poll() is None, f"Kafka ended with {self.process.returncode}: {self.said()}"
            assert time.monotonic() < limit, f"Kafka did not accept within {START_LIMIT:.0f} s: {self.said()}"
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        """End it in good order: what it leads goes to others, if there are any, and what it holds to its disk."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def accepts(self) -> bool:
        """True if it takes connections."""
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex((HOST, self.port)) == 0

    def said(self) -> str:
        """The end of its log."""
        return (self.home / "broker.log").read_text(errors="replace")[-2000:]

    def _java(self, program: str, *arguments: str) -> list[str]:
        return ["java", *JAVA, "-cp", f"{self.libs}/*", program, *arguments]

    def _file(self) -> tuple[str, ...]:
        return (str(self.home / "server.properties"),)

    def _properties(self) -> dict[str, str]:
        alone = len(self.voters) == 1
        internal = {
            f"{topic}.{name}": str(number)
            for topic in ("transaction.state.log", "share.coordinator.state.topic")
            for name, number in (
                ("replication.factor", 1 if alone else REPLICAS),
                ("min.isr", 1 if alone else IN_SYNC),
                ("num.partitions", 1),
            )
        }
        return {
            "process.roles": "broker,controller",
            "node.id": str(self.node),
            "controller.quorum.voters": ",".join(f"{node}@{HOST}:{port}" for node, port in self.voters.items()),
            "listeners": f"{self.protocol}://{HOST}:{self.port},CONTROLLER://{HOST}:{self.voters[self.node]}",
            "advertised.listeners": f"{self.protocol}://{HOST}:{self.port}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": self.protocol,
            "listener.security.protocol.map": f"CONTROLLER:PLAINTEXT,{self.protocol}:{self.protocol}",
            "log.dirs": str(self.data),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": str(1 if alone else REPLICAS),
            "offsets.topic.num.partitions": "1",
            "min.insync.replicas": str(1 if alone else IN_SYNC),
            "group.initial.rebalance.delay.ms": "0",
            # Else a broker that was killed refuses its own restart for nine seconds.
            "broker.session.timeout.ms": "2000",
            "broker.heartbeat.interval.ms": "500",
            # A node that came back leads again what it led before: one more change of leaders.
            "leader.imbalance.check.interval.seconds": "5",
            "leader.imbalance.per.broker.percentage": "0",
            "log.cleaner.dedupe.buffer.size": str(4 << 20),
            "num.network.threads": "2",
            "num.io.threads": "2",
            **internal,
            **self.others,
        }


@contextmanager
def kafka_broker(
    *, protocol: str = "PLAINTEXT", scram: tuple[str, ...] = (), others: Mapping[str, str] | None = None
) -> Iterator[KafkaBroker]:
    """A running broker, with nothing on it, that does not outlive the block. Raises KafkaMissing."""
    libs = kafka_libs()
    with tempfile.TemporaryDirectory(prefix="safety-kafka-", ignore_cleanup_errors=True) as folder:
        broker = KafkaBroker(libs, Path(folder), others or {}, scram, protocol)
        broker.format()
        try:
            broker.start()
            yield broker
        finally:
            broker.kill()
