"""A real Apache Kafka for the tests: one KRaft node of Maven Central's jars, on free ports of the loopback.

The jars lie in a folder outside the repository (`SAFETY_MONITOR_KAFKA_LIBS`, else the user's cache) and are fetched
once, by Maven, from the pom beside this file.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from monitor.agents.held import Held, look
from monitor.audit.batch import Position
from monitor.broker import PARTITIONS
from monitor.embedded import HOST, free_port
from monitor.settings import Settings

POM = Path(__file__).with_name("kafka") / "pom.xml"
LIBS = "SAFETY_MONITOR_KAFKA_LIBS"
FETCH_LIMIT = 240.0  # seconds; 44 MB
START_LIMIT = 60.0  # seconds; it takes three on an idle machine
CLUSTER = "c2FmZXR5LW1vbml0b3Itdw"  # any id of 16 bytes that does not begin with a dash
# The heap holds a test's messages; the first compiler alone, since no test is as long as the second one's work.
JAVA = ("-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")


class KafkaMissing(Exception):  # noqa: N818 - a word, as those of monitor.errors
    """Why there is no Kafka here, in one line."""


def kafka_libs() -> Path:
    """The folder of the jars; fetched on the first call on a machine. Raises KafkaMissing."""
    if shutil.which("java") is None:
        raise KafkaMissing("Java is not installed (apt-get install openjdk-17-jre-headless)")
    folder = Path(os.environ.get(LIBS) or Path.home() / ".cache" / "safety-monitor-kafka" / _version())
    if not list(folder.glob("kafka_2.13-*.jar")):
        _fetch(folder)
    return folder


def _version() -> str:
    found = ET.parse(POM).find(".//{*}dependency/{*}version")  # noqa: S314 - our own file
    assert found is not None
    assert found.text
    return found.text


def _fetch(folder: Path) -> None:
    if shutil.which("mvn") is None:
        raise KafkaMissing(
            "Kafka's jars are missing, and Maven, which would fetch them, is too (apt-get install maven)"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        # Copied beside the pom of its own, so that Maven leaves nothing in the repository.
        shutil.copy(POM, scratch)
        command = [
            "mvn", "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=libs",
        ]  # fmt: skip
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=FETCH_LIMIT)
        if done.returncode:
            said = " ".join((done.stdout or done.stderr).split())[-300:]
            raise KafkaMissing(f"Maven could not fetch Kafka's jars: {said}")
        (Path(scratch) / "libs").rename(folder)


@dataclass
class KafkaBroker:
    """One node: starts on the same ports and data as often as it is told to, after a stop or a kill."""

    libs: Path
    home: Path
    others: Mapping[str, str] = field(default_factory=dict)
    scram: tuple[str, ...] = ()
    protocol: str = "PLAINTEXT"
    port: int = field(default_factory=free_port)
    controller: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address as the settings want it."""
        return f"kafka://{self.bootstrap}"

    @property
    def bootstrap(self) -> str:
        """The address as Kafka clients want it."""
        return f"{HOST}:{self.port}"

    @property
    def data(self) -> Path:
        """Where it keeps its topics: a folder for each partition."""
        return self.home / "data"

    def format(self) -> None:
        """Make its storage."""
        (self.home / "server.properties").write_text("".join(f"{k}={v}\n" for k, v in self._properties().items()))
        users = [word for user in self.scram for word in ("--add-scram", user)]
        command = self._java("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", *self._file(), *users)
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        """Start it and wait until it accepts."""
        with (self.home / "broker.log").open("ab") as output:
            self.process = subprocess.Popen(
                self._java("kafka.Kafka", *self._file()), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        limit = time.monotonic() + START_LIMIT
        while not self._accepts():
            assert self.process.poll() is None, f"Kafka ended with {self.process.returncode}: {self.said()}"
            assert time.monotonic() < limit, f"Kafka did not accept within {START_LIMIT:.0f} s: {self.said()}"
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        """End it in good order, so that all it holds is on its disk."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def end(self, *topics: str) -> int:
        """How many messages these topics have taken: the sum of their partitions' next offsets."""
        return sum(held.end for held in self.held(*topics).values())

    def held(self, *topics: str) -> dict[tuple[str, int], Held]:
        """What it holds of these topics, three partitions each."""
        nothing = {(topic, partition): Position(next_offset=0) for topic in topics for partition in range(PARTITIONS)}
        return asyncio.run(look(Settings.model_validate({"broker_url": self.url}), nothing))

    def said(self) -> str:
        """The end of its log."""
        return (self.home / "broker.log").read_text(errors="replace")[-2000:]

    def _accepts(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex((HOST, self.port)) == 0

    def _java(self, program: str, *arguments: str) -> list[str]:
        return ["java", *JAVA, "-cp", f"{self.libs}/*", program, *arguments]

    def _file(self) -> tuple[str, ...]:
        return (str(self.home / "server.properties"),)

    def _properties(self) -> dict[str, str]:
        single = {
            f"{topic}.{name}": "1"
            for topic, names in (
                ("offsets.topic", ("replication.factor", "num.partitions")),
                ("transaction.state.log", ("replication.factor", "min.isr", "num.partitions")),
                ("share.coordinator.state.topic", ("replication.factor", "min.isr", "num.partitions")),
            )
            for name in names
        }
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{HOST}:{self.controller}",
            "listeners": f"{self.protocol}://{HOST}:{self.port},CONTROLLER://{HOST}:{self.controller}",
            "advertised.listeners": f"{self.protocol}://{HOST}:{self.port}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": self.protocol,
            "listener.security.protocol.map": f"CONTROLLER:PLAINTEXT,{self.protocol}:{self.protocol}",
            "log.dirs": str(self.data),
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": "0",
            # Else a broker that was killed refuses its own restart for nine seconds.
            "broker.session.timeout.ms": "2000",
            "broker.heartbeat.interval.ms": "500",
            "log.cleaner.dedupe.buffer.size": str(4 << 20),
            "num.network.threads": "2",
            "num.io.threads": "2",
            **single,
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
