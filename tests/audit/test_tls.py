"""PostgreSQL over TLS, by the words of its own clients in the URL; a server that is another is refused in one line."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from monitor.audit.database import translate
from monitor.audit.tls import take_tls
from monitor.errors import UsageError
from tests.support.certificates import Authority, Signed
from tests.support.postgres import MISSING, PostgresCluster, find_programs
from tests.support.worker import COMMAND

PASSWORD = "s3cret-of-the-database"


@dataclass(frozen=True)
class Guarded:
    """A server that takes TLS alone: `worker` by a password, `certified` by a certificate."""

    cluster: PostgresCluster
    authority: Path
    client: Signed
    stranger: Path

    def upgrade(self, user: str, *words: str, host: str = "127.0.0.1") -> "subprocess.CompletedProcess[str]":
        """Make the schema through a connection with these words; the password stands outside the URL."""
        query = "&".join(words)
        environment = {
            "SAFETY_MONITOR_DATABASE_URL": f"postgresql://{user}@{host}:{self.cluster.port}/postgres?{query}",
            "SAFETY_MONITOR_DATABASE_PASSWORD": PASSWORD,
        }
        return subprocess.run([COMMAND, "database", "upgrade"], env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    programs = find_programs()
    if programs is None:
        pytest.skip(MISSING)
    folder = tmp_path_factory.mktemp("certificates")
    authority = Authority(folder)
    server = authority.sign("server", "127.0.0.1")
    cluster = PostgresCluster(programs)
    try:
        own, key, theirs = (cluster.keep(file) for file in (server.certificate, server.key, authority.file))
        cluster.set("ssl=on", f"ssl_cert_file={own}", f"ssl_key_file={key}", f"ssl_ca_file={theirs}")
        cluster.start()
        cluster.sql(f"CREATE ROLE worker SUPERUSER LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE certified SUPERUSER LOGIN")
        cluster.admit("hostssl all worker all scram-sha-256", "hostssl all certified all cert")
        cluster.stop("fast")
        cluster.start()
        yield Guarded(cluster, authority.file, authority.sign("certified"), Authority(folder, "stranger").file)
    finally:
        cluster.remove()


def test_a_server_that_is_the_one_that_was_asked_for_is_taken(guarded: Guarded) -> None:
    done = guarded.upgrade("worker", "sslmode=verify-full", f"sslrootcert={guarded.authority}")
    assert done.returncode == 0, done.stderr
    assert "the database is at schema" in done.stdout


def test_a_certificate_of_ours_opens_the_door_without_a_password(guarded: Guarded) -> None:
    ours = (f"sslcert={guarded.client.certificate}", f"sslkey={guarded.client.key}")
    done = guarded.upgrade("certified", "sslmode=verify-full", f"sslrootcert={guarded.authority}", *ours)
    assert done.returncode == 0, done.stderr


def test_a_server_of_another_authority_is_refused_in_one_line(guarded: Guarded) -> None:
    for root in (f"sslrootcert={guarded.stranger}", "sslrootcert=system"):
        done = guarded.upgrade("worker", "sslmode=verify-full", root)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        assert "certificate verify failed" in done.stderr
        assert PASSWORD not in done.stdout + done.stderr


def test_a_server_of_another_name_is_refused_in_one_line_unless_names_do_not_count(guarded: Guarded) -> None:
    root = f"sslrootcert={guarded.authority}"
    done = guarded.upgrade("worker", "sslmode=verify-full", root, host="localhost")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "certificate is not valid for 'localhost'" in done.stderr
    assert guarded.upgrade("worker", "sslmode=verify-ca", root, host="localhost").returncode == 0


def test_a_server_that_wants_tls_is_not_spoken_to_in_clear(guarded: Guarded) -> None:
    done = guarded.upgrade("worker", "sslmode=disable")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert PASSWORD not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("sslmode=verify-fully", "sslmode in the database URL is one of"),
        ("sslrootcert=ca.pem", "they need sslmode=verify-full"),
        ("sslmode=require&sslrootcert=ca.pem", "they need sslmode=verify-full"),
        ("sslmode=verify-full&sslrootcert=/absent/ca.pem", "cannot be used"),
        ("sslmode=verify-full&sslcert=/absent/ours.pem", "cannot be used"),
    ],
)
def test_words_on_tls_that_say_nothing_sure_are_refused(words: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        take_tls(translate(f"postgresql://worker@db/monitor?{words}"))
