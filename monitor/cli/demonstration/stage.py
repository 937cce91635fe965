"""Where a demonstration plays: its folder, and the settings that the worker and the other commands get."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import yaml

from monitor.errors import UsageError
from monitor.settings import PREFIX, BrokerKind, ClockKind, Settings

INSTANCE: Final = "demo"
OFFICER: Final = "safety-officer"
INVESTIGATOR: Final = "investigator"
OPERATIONS: Final = "operations"
CHANNEL: Final = "mail"
NO_LIMIT: Final = 60_000  # notices a minute: two years of them go out within one minute


@dataclass(frozen=True, slots=True)
class Stage:
    """One demonstration's folder, broker and port; everything it leaves behind lies in the folder."""

    folder: Path
    broker_url: str
    http_port: int

    @property
    def trial(self) -> Path:
        """The events, one a line."""
        return self.folder / "trial.jsonl"

    @property
    def database(self) -> Path:
        """The audit log."""
        return self.folder / "audit-log.db"

    @property
    def mails(self) -> Path:
        """What people were told, as the mail server got it."""
        return self.folder / "mails.mbox"

    @property
    def metrics(self) -> Path:
        """The worker's last metrics."""
        return self.folder / "metrics.prom"

    @property
    def worker_log(self) -> Path:
        """What the worker said."""
        return self.folder / "worker.log"

    @property
    def routing(self) -> Path:
        """Who is told of what."""
        return self.folder / "routing.yaml"

    @property
    def database_url(self) -> str:
        """The audit log, as the settings want it."""
        return f"sqlite:///{self.database}"

    def settings(self) -> Settings:
        """The settings of this stage, for what is done in this process."""
        return Settings(broker_url=self.broker_url, broker_kind=BrokerKind.TANSU, clock=ClockKind.EVENTS)

    def environment(self) -> Mapping[str, str]:
        """The environment of the processes that are started: this stage's settings, and none of the caller's own."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
        ours = {
            "DATABASE_URL": self.database_url,
            "BROKER_URL": self.broker_url,
            "BROKER_KIND": BrokerKind.TANSU,
            "CLOCK": ClockKind.EVENTS,
            "INSTANCE": INSTANCE,
            "HTTP_PORT": str(self.http_port),
            "ROUTING": str(self.routing),
        }
        return inherited | {PREFIX + name: value for name, value in ours.items()}

    def write_routing(self, mail_url: Mapping[str, str]) -> None:
        """Write the routing file; `mail_url` holds each recipient's Apprise URL."""
        recipients = {
            name: {"url": url, "channel": CHANNEL, "at_once": 4, "per_minute": NO_LIMIT}
            for name, url in mail_url.items()
        }
        routing = {
            "format": 1,
            "recipients": recipients,
            "priorities": {
                "high": {"recipients": [OFFICER, INVESTIGATOR]},
                "medium": {"recipients": [OFFICER]},
                "low": {},  # they stand in the queue and on the alert topic, and wake nobody
            },
            "operations": [OPERATIONS],
        }
        self.routing.write_text(yaml.safe_dump(routing, sort_keys=False), encoding="utf-8")


def make_folder(parent: Path, now: datetime) -> Path:
    """Make a folder named after the moment. Raises UsageError if it cannot be made."""
    folder = parent.absolute() / f"demo-{now:%Y%m%d-%H%M%S}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}") from None
    return folder
