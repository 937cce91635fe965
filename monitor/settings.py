"""What an operator may set: the environment (`SAFETY_MONITOR_*`) over secret files over a settings file.

The file is named by `SAFETY_MONITOR_SETTINGS` (YAML or TOML; keys as the fields here), secret files (one value a file,
called as the variable in lower case) lie in `SAFETY_MONITOR_SECRETS_DIR`. Secrets print as asterisks.
"""

import os
import socket
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

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
    """How a name and a password are shown to the broker. PLAIN shows the password itself, so it needs TLS."""

    SCRAM_SHA_512 = "SCRAM-SHA-512"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    PLAIN = "PLAIN"


class Settings(BaseSettings):
    """All settings of every command, checked once; times in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    database_url: SecretStr = SecretStr("sqlite:///safety-monitor.db")
    broker_url: str = "kafka://127.0.0.1:9092"
    broker_kind: BrokerKind = BrokerKind.AUTO
    broker_tls: bool = False
    broker_tls_ca: Path | None = None  # None: the system's authorities
    broker_tls_certificate: Path | None = None  # ours, for a broker that asks its clients for one
    broker_tls_key: Path | None = None  # of our certificate, if it does not hold it
    broker_mechanism: SaslMechanism = SaslMechanism.SCRAM_SHA_512
    broker_username: str | None = None
    broker_password: SecretStr | None = None
    group: str = "safety-monitor"
    instance: str = Field(default_factory=socket.gethostname, min_length=1)
    static_membership: bool | None = None  # None: as the broker's kind allows

    clock: ClockKind = ClockKind.SYSTEM
    protocol: Path | None = None  # None: the one that comes with the package
    routing: Path | None = None  # None: no notices, the alert topic alone
    checkpoint_key: Path | None = None  # a file of `audit keygen`; None: no checkpoints are signed
    checkpoint_every: Seconds = 60.0
    checkpoint_every_records: int = Field(default=1_000, ge=1)
    checkpoint_file: Path | None = None  # where they are added to; best on another machine's disk
    checkpoint_keyring: Path | None = None  # verifier keys; None: those of checkpoint_key
    heartbeat_url: SecretStr | None = None  # the dead-man's switch outside

    record_reads: bool = True  # each command that shows patients' data is itself recorded, with its actor
    actor: str | None = None  # who that is, an id in the trial; None: the login name

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=9464, ge=0, le=65535)  # 0: any free port
    log_level: str = "INFO"

    max_message_bytes: int = Field(default=262_144, gt=0)
    batch_events: int = Field(default=500, ge=1)
    batch_wait: Seconds = 0.05  # one event alone must not wait for company
    cached_patients: int = Field(default=2_000, ge=1)
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
        if (self.broker_username is None) != (self.broker_password is None):
            raise ValueError("broker_username and broker_password belong together")
        if self.broker_mechanism is SaslMechanism.PLAIN and self.broker_username and not self.broker_tls:
            raise ValueError("broker_mechanism PLAIN needs broker_tls: it sends the password as it is")
        files = (self.broker_tls_ca, self.broker_tls_certificate, self.broker_tls_key)
        if any(files) and not self.broker_tls:
            raise ValueError("broker_tls_ca, broker_tls_certificate and broker_tls_key need broker_tls")
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
        if secrets := os.environ.get(SECRETS_VARIABLE):
            sources.append(SecretsSettingsSource(settings_cls, secrets_dir=secrets))
        if name := os.environ.get(FILE_VARIABLE):
            sources.append(_file_source(settings_cls, Path(name)))
        return tuple(sources)


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
