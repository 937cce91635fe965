"""A throw-away PostgreSQL cluster for the tests; skipped, with the reason, where its programs are not installed."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

MISSING = "PostgreSQL's programs are not installed (apt-get install postgresql)"
UNPRIVILEGED = ("postgres", "nobody")
SETTINGS = (
    "fsync=off",  # speed; a crash of its processes, as in stop(), still loses nothing that was committed
    "full_page_writes=off",
    "listen_addresses=127.0.0.1",
    "max_connections=60",
)


class PostgresCluster:
    """One cluster on a free port of the loopback; superuser `postgres`, no password."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._settings: tuple[str, ...] = SETTINGS
        self._home = Path(tempfile.mkdtemp(prefix="safety-pg-"))
        self._data = self._home / "data"
        self._as: tuple[str, ...] = ()
        if os.geteuid() == 0:  # initdb and postgres refuse root
            user = next(name for name in UNPRIVILEGED if _exists(name))
            shutil.chown(self._home, user)
            self._as = ("runuser", "-u", user, "--")
        self.port = _free_port()
        self._numbers = count(1)
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        options = [f"-p {self.port}", f"-k {self._home}", *(f"-c {setting}" for setting in self._settings)]
        log = str(self._home / "log")
        self._run("pg_ctl", "-D", str(self._data), "-w", "-t", "30", "-l", log, "-o", " ".join(options), "start")

    def set(self, *settings: str) -> None:
        """Settings beyond those of all tests, from the next start on."""
        self._settings = (*self._settings, *settings)

    def keep(self, file: Path) -> Path:
        """A copy of a file that the server alone may read, as it demands of a key."""
        copy = self._home / file.name
        shutil.copy(file, copy)
        copy.chmod(0o600)
        if os.geteuid() == 0:
            shutil.chown(copy, self._home.owner())
        return copy

    def admit(self, *lines: str) -> None:
        """Replace the rules by which clients are let in (pg_hba.conf)."""
        (self._data / "pg_hba.conf").write_text("".join(f"{line}\n" for line in lines))

    def stop(self, mode: str = "immediate") -> None:
        """Stop it: `immediate` as a crash, `fast` in good order."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-t", "30", "-m", mode, "stop")

    def remove(self) -> None:
        """Stop it, if it runs, and delete all of it."""
        if (self._data / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self._home, ignore_errors=True)

    def sql(self, statement: str, *, database: str = "postgres", user: str = "postgres") -> str:
        """Run statements by psql and return what they printed. Raises CalledProcessError if one is refused."""
        address = f"postgresql://{user}@127.0.0.1:{self.port}/{database}"
        command = [str(self._programs / "psql"), address, "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", "-"]
        done = subprocess.run(command, input=statement, capture_output=True, text=True, check=True, cwd="/")
        return done.stdout.strip()

    def database(self) -> str:
        """Make a new, empty database and return its URL."""
        name = f"monitor_{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, database: str, user: str = "postgres") -> str:
        """The URL of a database of this cluster, as the settings want it."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as, str(self._programs / program), *arguments]
        # Output goes to a file: the server inherits it, and would hold a pipe open for ever.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd="/")
            if done.returncode:
                output.seek(0)
                raise RuntimeError(f"{program} failed: {output.read().decode(errors='replace')}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresCluster]:
    """The session's cluster."""
    yield from _started()


@pytest.fixture(scope="module")
def fresh_postgres() -> Iterator[PostgresCluster]:
    """A cluster of the module's own, whose roles no other test has made."""
    yield from _started()


def _started() -> Iterator[PostgresCluster]:
    programs = find_programs()
    if programs is None:
        pytest.skip(MISSING)
    cluster = PostgresCluster(programs)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def postgres_url(postgres: PostgresCluster) -> str:
    """The URL of a database of the test's own, empty."""
    return postgres.database()


def find_programs() -> Path | None:
    """Where initdb and postgres are: the newest of Debian's folders, else the PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    folders += [Path(found).resolve().parent] if (found := shutil.which("initdb")) else []
    usable = [path for path in folders if (path / "initdb").exists() and (path / "postgres").exists()]
    if os.geteuid() == 0 and not (shutil.which("runuser") and any(map(_exists, UNPRIVILEGED))):
        return None
    return usable[-1] if usable else None


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
