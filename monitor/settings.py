"""What an operator may set: the environment (`SAFETY_MONITOR_*`) over secret files over a settings file.

The file is named by `SAFETY_MONITOR_SETTINGS` (YAML or TOML; keys as the fields here), secret files (one value a file,
called as the variable in lower case) lie in `SAFETY_MONITOR_SECRETS_DIR`, or where systemd puts its credentials
(`CREDENTIALS_DIRECTORY`). Secrets print as asterisks.
"""

import ipaddress
import os
import socket
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import quote, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
    YamlConfigSettingsSource,
)

from monitor.errors import UsageError
from monitor.events.catalogue import TOPICS

PREFIX = "SAFETY_MONITOR_"
FILE_VARIABLE = PREFIX + "SETTINGS"
SECRETS_VARIABLE = PREFIX + "SECRETS_DIR"
CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"  # systemd.exec(5)
LEAST_TOKEN = 16  # characters; a shorter one could be guessed over the network
DATABASES = ("sqlite", "postgresql")

Seconds = Annotated[float, Field(gt=0)]


class ClockKind(StrEnum):
    """`system`: now is the wall clock. `events`: now is the watermark of `safety.clock.advanced.v1` (back-fill)."""

    SYSTEM = "system"
    EVENTS = "events"


class BrokerKind(StrEnum):
    """Kafka, or the embedded Tansu, which joins a group in half its session timeout and knows no static members.

    `auto`: the broker is asked what it is when it is first met.
    """

    AUTO = "auto"
    KAFKA = "kafka"
    TANSU = "tansu"


class SaslMechanism(StrEnum):
    """How we show the broker who we are. PLAIN and OAUTHBEARER send the secret itself, so they need TLS."""

    SCRAM_SHA_512 = "SCRAM-SHA-512"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    PLAIN = "PLAIN"
    OAUTHBEARER = "OAUTHBEARER"


class Settings(BaseSettings):
    """All settings of every command, checked once; times in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: SecretStr = SecretStr("sqlite:///safety-monitor.db")
    database_password: SecretStr | None = None  # for PostgreSQL, if the URL shall not hold it
    broker_url: str = "kafka://127.0.0.1:9092"
    broker_kind: BrokerKind = BrokerKind.AUTO
    broker_tls: bool = False
    broker_tls_ca: Path | None = None  # None: the system's authorities
    broker_tls_certificate: Path | None = None  # ours, for a broker that asks its clients for one
    broker_tls_key: Path | None = None  # of our certificate, if it does not hold it
    broker_mechanism: SaslMechanism = SaslMechanism.SCRAM_SHA_512
    broker_username: str | None = None
    broker_password: SecretStr | None = None
    broker_token_file: Path | None = None  # OAUTHBEARER: the token, read anew for each connection
    group: str = "safety-monitor"
    instance: str = Field(default_factory=socket.gethostname, min_length=1)
    static_membership: bool | None = None  # None: as the broker's kind allows
    session_timeout: Annotated[float, Field(ge=2, le=90)] | None = None  # None: by the broker's kind; Kafka: 6 or more

    clock: ClockKind = ClockKind.SYSTEM
    protocol: Path | None = None  # None: the one that comes with the package
    routing: Path | None = None  # None: no notices, the alert topic alone
    checkpoint_key: Path | None = None  # a file of `audit keygen`; None: no checkpoints are signed
    checkpoint_every: Seconds = 60.0
    checkpoint_every_records: int = Field(default=1_000, ge=1)
    checkpoint_file: Path | None = None  # where they are added to; best on another machine's disk
    checkpoint_keyring: Path | None = None  # verifier keys; None: those of checkpoint_key
    verify_every: Seconds = 86_400.0  # a worker verifies the whole log by itself, one of several
    verify_new_every: Seconds = 3_600.0  # and what is new since then
    heartbeat_url: SecretStr | None = None  # the dead-man's switch outside; one for each worker
    heartbeat_every: Seconds = 60.0
    heartbeat_overdue: Seconds = 300.0  # what is overdue for longer stops the signs of life

    encrypt_payloads: bool | None = None  # of a new log alone; None: yes, and afterwards as the log was begun
    record_reads: bool = True  # each command that shows patients' data is itself recorded, with its actor
    actor: str | None = None  # who that is, an id in the trial; None: the login name

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=9464, ge=0, le=65535)  # 0: any free port
    http_token: SecretStr | None = None  # what a scraper must show; needed where others than this machine can ask
    log_level: str = "INFO"

    max_message_bytes: int = Field(default=262_144, gt=0)
    max_expanded_bytes: int = Field(default=16_777_216, gt=0)  # what a compressed batch may grow to
    batch_events: int = Field(default=100, ge=1)  # of a topic: a transaction holds the patients of them all
    batch_wait: Seconds = 0.05  # one event alone must not wait for company
    batch_bytes: int = Field(
        default=4_194_304, ge=1
    )  # of one transaction: what is read of a message takes ten times it
    buffered_messages: int = Field(default=500, ge=1)  # of a topic, between the broker and its agent
    fetch_bytes: int = Field(default=8_388_608, ge=1)  # of one answer of a broker
    partition_fetch_bytes: int = Field(default=524_288, ge=1)  # of one partition in it
    cached_patients: int = Field(default=300, ge=1)
    cached_facts: int = Field(default=30_000, ge=1)  # of them all: a fact takes some 4 KiB
    history_records: int = Field(default=10_000, ge=1)  # of a patient: more are assessed as well, and operators told
    quarantine_share: float = Field(default=0.2, gt=0, le=1)  # of a source's messages, in this hour and the last
    quarantine_minimum: int = Field(default=20, ge=1)  # refused messages: fewer call nobody
    silent_after: dict[str, Annotated[float, Field(ge=0)]] = {}  # by topic, over the defaults; 0: never missed
    tick_every: Seconds = 1.0
    lease: Seconds = 15.0  # of the clock and the relay
    database_patience: Seconds = 60.0  # then the worker stops with nothing acked
    ready_within: Seconds = 30.0  # age of the last good fetch or commit
    stuck_after: Seconds = 180.0  # the progress watchdog
    shutdown_grace: Seconds = 20.0  # then the process ends itself

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: SecretStr) -> SecretStr:
        scheme = value.get_secret_value().partition(":")[0].partition("+")[0]
        if scheme not in DATABASES:
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return value

    @field_validator("broker_url")
    @classmethod
    def _known_broker(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme != "kafka" or not parts.hostname or parts.path:
            raise ValueError("must look like kafka://HOST:PORT (several: kafka://A:9092,B:9092)")
        if "@" in parts.netloc:
            raise ValueError("name and password belong in broker_username and broker_password")
        return value

    @field_validator("silent_after")
    @classmethod
    def _known_topics(cls, value: dict[str, float]) -> dict[str, float]:
        if unknown := sorted(value.keys() - set(TOPICS)):
            raise ValueError(f"no such topic: {', '.join(unknown)}")
        return value

    @model_validator(mode="after")
    def _patience_ends_first(self) -> Self:
        if self.stuck_after <= self.database_patience:
            raise ValueError("stuck_after must be longer than database_patience: waiting is not being stuck")
        return self

    @model_validator(mode="after")
    def _credentials_are_whole(self) -> Self:
        bearer = self.broker_mechanism is SaslMechanism.OAUTHBEARER
        if (self.broker_username is None) != (self.broker_password is None):
            raise ValueError("broker_username and broker_password belong together")
        if bearer != (self.broker_token_file is not None) or (bearer and self.broker_username is not None):
            raise ValueError("broker_mechanism OAUTHBEARER needs broker_token_file, and no name and password")
        in_clear = bearer or (self.broker_mechanism is SaslMechanism.PLAIN and self.broker_username is not None)
        if in_clear and not self.broker_tls:
            raise ValueError(f"broker_mechanism {self.broker_mechanism} needs broker_tls: what it sends opens the door")
        files = (self.broker_tls_ca, self.broker_tls_certificate, self.broker_tls_key)
        if any(files) and not self.broker_tls:
            raise ValueError("broker_tls_ca, broker_tls_certificate and broker_tls_key need broker_tls")
        return self

    @model_validator(mode="after")
    def _database_password_has_its_place(self) -> Self:
        if self.database_password is not None:
            parts = urlsplit(self.database_url.get_secret_value())
            if self.is_sqlite or parts.username is None or parts.password is not None:
                raise ValueError("database_password needs a postgresql database_url with a user and without a password")
        return self

    @model_validator(mode="after")
    def _strangers_show_a_token(self) -> Self:
        if self.http_token is not None and len(self.http_token.get_secret_value()) < LEAST_TOKEN:
            raise ValueError(f"http_token must have at least {LEAST_TOKEN} characters")
        if self.http_token is None and not is_loopback(self.http_host):
            raise ValueError("http_host is not of this machine alone, so http_token is needed (or http_host 127.0.0.1)")
        return self

    @property
    def bootstrap_servers(self) -> list[str]:
        """The brokers as HOST:PORT, as clients want them."""
        return urlsplit(self.broker_url).netloc.split(",")

    @property
    def static_member(self) -> bool:
        """True if the worker joins its group under its instance's name (not on Tansu: slower there)."""
        if self.static_membership is not None:
            return self.static_membership
        return self.broker_kind is not BrokerKind.TANSU

    @property
    def is_sqlite(self) -> bool:
        """True if the log is an embedded SQLite file (one writing process)."""
        return self.database_url.get_secret_value().startswith("sqlite")

    @property
    def log_url(self) -> str:
        """The database's address with its password, which is shown to nobody."""
        url = self.database_url.get_secret_value()
        if self.database_password is None:
            return url
        parts = urlsplit(url)
        user, _, host = parts.netloc.rpartition("@")
        password = quote(self.database_password.get_secret_value(), safe="")
        return parts._replace(netloc=f"{user}:{password}@{host}").geturl()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature; .env files are not read
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - replaced by the directory named above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: arguments, environment, secret files, settings file."""
        sources = [init_settings, env_settings]
        folders = {name: os.environ[name] for name in (SECRETS_VARIABLE, CREDENTIALS_VARIABLE) if os.environ.get(name)}
        sources.extend(_secrets_source(settings_cls, Path(folder), name) for name, folder in folders.items())
        if name := os.environ.get(FILE_VARIABLE):
            sources.append(_file_source(settings_cls, Path(name)))
        return tuple(sources)


def is_loopback(host: str) -> bool:
    """True if only this machine can be meant: a name other than `localhost` may be anybody."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _secrets_source(settings_cls: type[BaseSettings], folder: Path, variable: str) -> PydanticBaseSettingsSource:
    if not folder.is_dir():
        raise UsageError(f"the folder of secrets {folder} ({variable}) is not there")
    return SecretsSettingsSource(settings_cls, secrets_dir=folder)


def _file_source(settings_cls: type[BaseSettings], path: Path) -> PydanticBaseSettingsSource:
    if not path.is_file():
        raise UsageError(f"the settings file {path} ({FILE_VARIABLE}) is not there")
    if path.suffix == ".toml":
        return TomlConfigSettingsSource(settings_cls, toml_file=path)
    return YamlConfigSettingsSource(settings_cls, yaml_file=path)


def load_settings() -> Settings:
    """Read the settings from where an operator puts them.

    Raises UsageError with one line that names each wrong setting and never shows its value (it may be a secret).
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(f"{PREFIX}{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        raise UsageError(f"settings: {wrong}") from None
