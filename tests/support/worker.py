"""The real worker as a process of its own, to be killed at will."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from monitor.embedded import free_port
from monitor.settings import Settings
from tests.support.broker import Broker, settings_for
from tests.support.waiting import wait_until

COMMAND = Path(sys.executable).with_name("safety-monitor")
REPOSITORY = Path(__file__).parents[2]
SKEW_FILE = "SKEW_FILE"
READ_ONLY = "/proc"
"""Where workers of the tests run: nothing can be made there, as on a container's disk."""


@dataclass
class WorkerProcess:
    """Starts, kills and stops `safety-monitor worker` under one set of settings."""

    broker: Broker
    database_url: str
    log: Path
    others: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    skew: Path | None = None  # a file with the seconds by which its clock is wrong
    process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> Settings:
        """The worker's settings, for helpers in this process."""
        of_broker = {name.lower(): value for name, value in self.others.items() if name.startswith("BROKER_")}
        clock = self.others.get("CLOCK", "events")
        return settings_for(self.broker, database_url=self.database_url, group=self.group, clock=clock, **of_broker)

    @property
    def group(self) -> str:
        """The group of all workers on this log: those of other tests may use the same broker."""
        return f"group-{hashlib.sha256(self.database_url.encode()).hexdigest()[:12]}"

    @property
    def environment(self) -> dict[str, str]:
        """What every command of this test is started with."""
        names = {
            "BROKER_URL": self.broker.url,
            "DATABASE_URL": self.database_url,
            "GROUP": self.group,
            "INSTANCE": "worker-of-the-test",
            "HTTP_PORT": str(self.port),
            "CLOCK": "events",
            **self.others,
        }
        # Without compiled modules each start takes seconds more.
        own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        skewed = {} if self.skew is None else {SKEW_FILE: str(self.skew), "PYTHONPATH": str(REPOSITORY)}
        return own | skewed | {f"SAFETY_MONITOR_{name}": value for name, value in names.items()}

    def start(self) -> None:
        """Start it, without waiting for anything."""
        with self.log.open("ab") as output:
            command = [COMMAND] if self.skew is None else [sys.executable, "-m", "tests.support.skewed"]
            self.process = subprocess.Popen(
                [*command, "worker"], env=self.environment, stdout=output, stderr=output, cwd=READ_ONLY
            )

    def start_ready(self) -> None:
        """Start it and wait until it says that it is ready."""
        self.start()
        wait_until(self.ready, f"the worker is ready; it said:\n{self.said()}")

    def kill(self) -> None:
        """End it as a power cut would."""
        self._running().kill()
        self._running().wait()

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self._running().send_signal(signal.SIGTERM)
        return self._running().wait(30)

    def ended(self) -> int:
        """Wait until it ends by itself; its exit code."""
        return self._running().wait(60)

    def ready(self) -> bool:
        """What /readyz says. AssertionError if the process has ended."""
        assert self._running().poll() is None, f"the worker ended with {self._running().returncode}:\n{self.said()}"
        return bool(self.probe("readyz").get("ready"))

    def probe(self, path: str) -> dict[str, object]:
        """A JSON answer of its HTTP site; empty while it does not answer."""
        try:
            return dict(json.loads(self.fetch(path)))
        except OSError:
            return {}

    def fetch(self, path: str) -> str:
        """An answer of its HTTP site, whatever its status."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text()[-3000:] if self.log.exists() else ""

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command of ours under the same settings."""
        return subprocess.run([COMMAND, *arguments], env=self.environment, capture_output=True, text=True, timeout=120)

    def _running(self) -> subprocess.Popen[bytes]:
        assert self.process is not None, "the worker was not started"
        return self.process


@contextmanager
def worker_process(broker: Broker, database_url: str, folder: Path, **others: str) -> Iterator[WorkerProcess]:
    """A worker that does not outlive its test."""
    worker = WorkerProcess(broker, database_url, folder / "worker.log", others)
    try:
        yield worker
    finally:
        if worker.process is not None and worker.process.poll() is None:
            worker.kill()
