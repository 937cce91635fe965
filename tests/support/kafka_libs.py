"""Apache Kafka's jars for the tests, from Maven Central.

They lie in a folder outside the repository (`SAFETY_MONITOR_KAFKA_LIBS`, else the user's cache) and are fetched once,
by Maven, from the pom beside this file.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

POM = Path(__file__).with_name("kafka") / "pom.xml"
LIBS = "SAFETY_MONITOR_KAFKA_LIBS"
FETCH_LIMIT = 240.0  # seconds; 44 MB


class KafkaMissing(Exception):  # noqa: N818 - a word, as those of monitor.errors
    """Why there is no Kafka here, in one line."""


def kafka_libs() -> Path:
    """The folder of the jars; fetched on the first call on a machine. Raises KafkaMissing."""
    if shutil.which("java") is None:
        raise KafkaMissing("Java is not installed (apt-get install openjdk-17-jre-headless)")
    folder = Path(os.environ.get(LIBS) or Path.home() / ".cache" / "safety-monitor-kafka" / _set())
    if not list(folder.glob("kafka_2.13-*.jar")):
        _fetch(folder)
    return folder


def _set() -> str:
    """The name of this set of jars: another pom asks for another."""
    return hashlib.sha256(POM.read_bytes()).hexdigest()[:12]


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
