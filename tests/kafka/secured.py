"""A broker that speaks TLS and asks for a name (SCRAM-SHA-512 or PLAIN), and grants nobody what it was not told to."""

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.kafka import KafkaBroker, kafka_broker
from tests.support.worker import WorkerProcess, worker_process

USER = "root"  # may do all
NAMES = ("safety-administrator", "safety-monitor", "laboratory", "mrd-laboratory", "ward", "safety-officer", "reader")
SECRET = "s3cret-of-a-user"
BROKER_SECRET = "s3cret-of-the-broker"
STORE = "s3cret-of-the-store"


@dataclass(frozen=True)
class Secured:
    """A broker that speaks SASL_SSL alone, and the certificate to trust."""

    broker: KafkaBroker
    certificate: Path

    def worker(
        self, folder: Path, password: str = SECRET, mechanism: str = "SCRAM-SHA-512", user: str = USER, **others: str
    ) -> AbstractContextManager[WorkerProcess]:
        """A worker of this user that is let in, if it knows the password; it says all that it ever says."""
        return worker_process(
            self.broker,
            f"sqlite:///{folder / 'log.db'}",
            folder,
            BROKER_TLS="true",
            BROKER_TLS_CA=str(self.certificate),
            BROKER_USERNAME=user,
            BROKER_PASSWORD=password,
            BROKER_MECHANISM=mechanism,
            LOG_LEVEL="DEBUG",
            **others,
        )

    def client(self, folder: Path, user: str = USER) -> Path:
        """The properties by which Kafka's own commands reach it as this user."""
        login = "org.apache.kafka.common.security.scram.ScramLoginModule required"
        file = folder / f"{user}.properties"
        file.write_text(
            "security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n"
            f'sasl.jaas.config={login} username="{user}" password="{SECRET}";\n'
            f"ssl.truststore.location={self.certificate}\nssl.truststore.type=PEM\n"
        )
        return file


@contextmanager
def secured_broker(folder: Path) -> Iterator[Secured]:
    """A running broker with TLS, users and no topics, that does not outlive the block."""
    keystore, certificate = folder / "broker.p12", folder / "broker.pem"
    _keytool(
        "-genkeypair", "-alias", "broker", "-keyalg", "RSA", "-dname", "CN=127.0.0.1", "-ext", "SAN=ip:127.0.0.1",
        "-keystore", str(keystore), "-validity", "2",
    )  # fmt: skip
    _keytool("-exportcert", "-rfc", "-alias", "broker", "-keystore", str(keystore), "-file", str(certificate))
    login = "org.apache.kafka.common.security.scram.ScramLoginModule required"
    others = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:broker;User:ANONYMOUS;User:{USER}",  # without a name there is only the controller's port
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
    users = (_user("broker", BROKER_SECRET), *(_user(name, SECRET) for name in (USER, *NAMES)))
    with kafka_broker(protocol="SASL_SSL", scram=users, others=others) as running:
        yield Secured(running, certificate)


def _keytool(*words: str) -> None:
    done = subprocess.run(["keytool", *words, "-storepass", STORE], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def _user(name: str, password: str) -> str:
    return f"SCRAM-SHA-512=[name={name},password={password}]"
