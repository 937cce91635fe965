"""Over TLS with SCRAM-SHA-512: every command goes through, a stranger does not, and no secret is ever printed."""

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from monitor.broker import ALL_TOPICS
from tests.engine.wire import platelets, publish
from tests.support.kafka import KafkaBroker, kafka_broker
from tests.support.reading import recorded_messages
from tests.support.waiting import wait_until
from tests.support.worker import WorkerProcess, worker_process

USER = "safety-monitor"
SECRET = "s3cret-of-the-worker"
BROKER_SECRET = "s3cret-of-the-broker"
STORE = "s3cret-of-the-store"


@dataclass(frozen=True)
class Secured:
    """A broker that speaks SASL_SSL alone, and the certificate to trust."""

    broker: KafkaBroker
    certificate: Path

    def worker(
        self, folder: Path, password: str = SECRET, mechanism: str = "SCRAM-SHA-512"
    ) -> AbstractContextManager[WorkerProcess]:
        """A worker that is let in, if it knows the password; it says all that it ever says."""
        return worker_process(
            self.broker,
            f"sqlite:///{folder / 'log.db'}",
            folder,
            BROKER_TLS="true",
            BROKER_TLS_CA=str(self.certificate),
            BROKER_USERNAME=USER,
            BROKER_PASSWORD=password,
            BROKER_MECHANISM=mechanism,
            LOG_LEVEL="DEBUG",
        )


@pytest.fixture
def secured(kafka_at_hand: None, tmp_path: Path) -> Iterator[Secured]:  # noqa: ARG001 - it skips or fails
    """A running broker with TLS, SCRAM users and the topics."""
    keystore, certificate = tmp_path / "broker.p12", tmp_path / "broker.pem"
    _keytool(
        "-genkeypair", "-alias", "broker", "-keyalg", "RSA", "-dname", "CN=127.0.0.1", "-ext", "SAN=ip:127.0.0.1",
        "-keystore", str(keystore), "-validity", "2",
    )  # fmt: skip
    _keytool("-exportcert", "-rfc", "-alias", "broker", "-keystore", str(keystore), "-file", str(certificate))
    login = "org.apache.kafka.common.security.scram.ScramLoginModule required"
    others = {
        "sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
            f'{login} username="broker" password="{BROKER_SECRET}";'
        ),
        "listener.name.sasl_ssl.plain.sasl.jaas.config": (
            f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}="{SECRET}";'
        ),
        "ssl.keystore.location": str(keystore),
        "ssl.keystore.type": "PKCS12",
        "ssl.keystore.password": STORE,
        "ssl.key.password": STORE,
        "ssl.truststore.location": str(certificate),  # it speaks to itself, too
        "ssl.truststore.type": "PEM",
    }
    users = (_user("broker", BROKER_SECRET), _user(USER, SECRET))
    with kafka_broker(protocol="SASL_SSL", scram=users, others=others) as running:
        yield Secured(running, certificate)


def _keytool(*words: str) -> None:
    done = subprocess.run(["keytool", *words, "-storepass", STORE], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def _user(name: str, password: str) -> str:
    return f"SCRAM-SHA-512=[name={name},password={password}]"


def test_worker_publish_and_topics_go_through_and_nothing_shows_the_password(secured: Secured, tmp_path: Path) -> None:
    lines = tmp_path / "events.jsonl"
    lines.write_bytes(b"\n".join(platelets("SH-001", number) for number in range(20)))
    with secured.worker(tmp_path) as worker:
        made = worker.run("topics", "apply")
        assert f"{len(ALL_TOPICS)} topics made" in made.stdout, made.stderr
        worker.start_ready()
        published = worker.run("publish", str(lines))
        assert published.returncode == 0, published.stderr
        wait_until(lambda: recorded_messages(worker.database_url) >= 20, "the messages are on the log")
        sent = recorded_messages(worker.database_url) + publish(worker.settings, [platelets("SH-002", 50)])
        wait_until(lambda: recorded_messages(worker.database_url) >= sent, "and those of another client")
        printed = repr(worker.settings) + worker.settings.model_dump_json() + worker.fetch("readyz")
        assert worker.stop() == 0
        said = worker.log.read_text() + made.stdout + made.stderr + published.stdout + published.stderr + printed
    assert SECRET not in said
    assert "**********" in printed


def test_plain_shows_the_password_within_tls_alone(secured: Secured, tmp_path: Path) -> None:
    with secured.worker(tmp_path, mechanism="PLAIN") as plain:
        made = plain.run("topics", "apply")
    assert f"{len(ALL_TOPICS)} topics made" in made.stdout, made.stderr


@pytest.mark.parametrize("command", [("topics", "apply"), ("publish", "-")])
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "PLAIN"])
def test_a_wrong_password_is_refused_in_one_line_that_does_not_show_it(
    secured: Secured, tmp_path: Path, command: tuple[str, ...], mechanism: str
) -> None:
    with secured.worker(tmp_path, password="s3cret-of-a-stranger", mechanism=mechanism) as stranger:
        refused = stranger.run(*command)
    assert refused.returncode == 1
    assert "s3cret" not in refused.stdout + refused.stderr
    assert refused.stderr.splitlines()[-1].startswith("safety-monitor: ")
