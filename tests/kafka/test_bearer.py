"""Over mutual TLS with OAUTHBEARER: who shows a certificate of the house and a token that holds goes through."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from monitor.broker import ALL_TOPICS
from tests.engine.wire import platelets
from tests.support.certificates import Authority, Signed
from tests.support.kafka import KafkaBroker, kafka_broker
from tests.support.reading import recorded_messages
from tests.support.waiting import wait_until
from tests.support.worker import WorkerProcess, worker_process

MODULE = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required"
HOUR = 3600


def token(expires_in: float) -> str:
    """A token as Kafka's own validator for tests takes it: not signed, but with a time at which it ends."""
    now = time.time()
    claims = {"sub": "s3cret-subject", "iat": now - 2 * HOUR, "exp": now + expires_in, "scope": []}
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


@dataclass(frozen=True)
class Guarded:
    """A broker that asks for both, and what there is to show it."""

    broker: KafkaBroker
    authority: Path
    ours: Signed
    tokens: Path

    def worker(self, folder: Path, **others: str) -> AbstractContextManager[WorkerProcess]:
        """A worker that shows all it has, unless told otherwise."""
        settings = {
            "BROKER_TLS": "true",
            "BROKER_TLS_CA": str(self.authority),
            "BROKER_TLS_CERTIFICATE": str(self.ours.certificate),
            "BROKER_TLS_KEY": str(self.ours.key),
            "BROKER_MECHANISM": "OAUTHBEARER",
            "BROKER_TOKEN_FILE": str(self.tokens),
            "LOG_LEVEL": "DEBUG",
            **others,
        }
        return worker_process(self.broker, f"sqlite:///{folder / 'log.db'}", folder, **settings)


@pytest.fixture
def guarded(kafka_at_hand: None, tmp_path: Path) -> Iterator[Guarded]:  # noqa: ARG001 - it skips or fails
    authority = Authority(tmp_path / "certificates")
    server = authority.sign("broker", "127.0.0.1")
    others = {
        "sasl.enabled.mechanisms": "OAUTHBEARER",
        "sasl.mechanism.inter.broker.protocol": "OAUTHBEARER",
        "listener.name.sasl_ssl.oauthbearer.sasl.jaas.config": f'{MODULE} unsecuredLoginStringClaim_sub="broker";',
        "listener.name.sasl_ssl.ssl.client.auth": "required",
        "listener.name.sasl_ssl.oauthbearer.connections.max.reauth.ms": "5000",  # then the broker ends the connection
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(server.both),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.file),
    }
    tokens = tmp_path / "token"
    tokens.write_text(token(HOUR) + "\n")
    with kafka_broker(protocol="SASL_SSL", others=others) as running:
        yield Guarded(running, authority.file, authority.sign("worker"), tokens)


def test_who_shows_both_goes_through_and_nothing_shows_the_token(guarded: Guarded, tmp_path: Path) -> None:
    lines = tmp_path / "events.jsonl"
    with guarded.worker(tmp_path) as worker:
        made = worker.run("topics", "apply")
        assert f"{len(ALL_TOPICS)} topics made" in made.stdout, made.stderr
        worker.start_ready()
        guarded.tokens.write_text(token(2 * HOUR))  # renewed beside the running worker: each connection reads it anew
        for number in range(3):  # each takes a while: meanwhile the broker ends the worker's connections
            lines.write_bytes(platelets("SH-001", number))
            published = worker.run("publish", str(lines))
            assert published.returncode == 0, published.stderr
        wait_until(lambda: recorded_messages(worker.database_url) >= 3, "the messages are on the log")
        wait_until(lambda: "closed" in worker.log.read_text(), "a connection came to its end")
        lines.write_bytes(platelets("SH-001", 9))
        assert worker.run("publish", str(lines)).returncode == 0
        wait_until(lambda: recorded_messages(worker.database_url) >= 4, "what came after it is on the log, too")
        assert worker.stop() == 0
        said = worker.log.read_text() + made.stdout + made.stderr + published.stdout + published.stderr
    assert not any(
        part in said for shown in (token(HOUR), guarded.tokens.read_text()) for part in shown.split(".")[1:2]
    )


def test_a_stranger_is_refused_in_one_line(guarded: Guarded, tmp_path: Path) -> None:
    elsewhere = Authority(tmp_path / "elsewhere", "elsewhere").sign("worker")
    stale = tmp_path / "stale"
    stale.write_text(token(-HOUR))
    absent = tmp_path / "absent"
    strangers = {
        "another authority": {"BROKER_TLS_CERTIFICATE": str(elsewhere.both), "BROKER_TLS_KEY": str(elsewhere.key)},
        "a token that has ended": {"BROKER_TOKEN_FILE": str(stale)},
        "no token": {"BROKER_TOKEN_FILE": str(absent)},
    }
    for what, others in strangers.items():
        with guarded.worker(tmp_path, **others) as stranger:
            refused = stranger.run("topics", "apply")
        assert refused.returncode == (2 if what == "no token" else 1), what
        assert refused.stderr.splitlines()[-1].startswith("safety-monitor: "), refused.stderr
        assert "s3cret" not in refused.stderr
