from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.notify.routing import load_routing
from monitor.settings import FILE_VARIABLE, PREFIX, SECRETS_VARIABLE, Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: Mapping[str, dict[str, Any]] = COMPOSE["services"]
OURS = {"migrate", "topics", "worker"}
JOBS = {"migrate", "roles", "topics"}
VARIABLES = {PREFIX + name.upper() for name in Settings.model_fields} | {FILE_VARIABLE, SECRETS_VARIABLE}


def test_the_whole_house_is_there() -> None:
    assert OURS | JOBS | {"kafka", "postgres", "prometheus", "alertmanager", "grafana", "mail"} == SERVICES.keys()


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_setting_of_ours_is_one_that_the_monitor_reads(name: str) -> None:
    assert SERVICES[name]["environment"].keys() <= VARIABLES


def test_the_worker_starts_with_these_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    values = {"worker_database_url": "postgresql://monitor:secret@postgres:5432/monitor", "http_token": "t" * 24}
    for secret in SERVICES["worker"]["secrets"]:
        (tmp_path / secret["target"]).write_text(values[secret["source"]])
    for key, value in SERVICES["worker"]["environment"].items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv(SECRETS_VARIABLE, str(tmp_path))

    settings = Settings()

    assert settings.bootstrap_servers == ["kafka:9092"]
    assert not settings.is_sqlite
    assert settings.http_port == 9464
    assert settings.http_token is not None


def test_prometheus_shows_the_token_that_the_worker_asks_for() -> None:
    scrape = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"][0]

    assert scrape["authorization"] == {"credentials_file": "/run/secrets/http_token"}
    assert "http_token" in SERVICES["prometheus"]["secrets"]
    assert {"source": "http_token", "target": "safety_monitor_http_token"} in SERVICES["worker"]["secrets"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_says_whether_it_is_well_and_waits_for_what_it_needs(name: str) -> None:
    service = SERVICES[name]
    image_has_its_own = name == "worker" and "HEALTHCHECK" in (ROOT / "deploy/Dockerfile").read_text()

    assert "healthcheck" in service or image_has_its_own
    for other, condition in service.get("depends_on", {}).items():
        assert other in SERVICES
        wanted = "service_completed_successfully" if other in JOBS else "service_healthy"
        assert condition == {"condition": wanted}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_secret_stands_in_the_file(name: str) -> None:
    environment = SERVICES[name].get("environment", {})
    telling = [key for key in environment if any(word in key for word in ("PASSWORD", "TOKEN", "SECRET", "_KEY"))]

    assert all(str(environment[key]).startswith("/run/secrets") for key in telling)
    assert not any("@" in str(value) and "://" in str(value) for value in environment.values())


def test_every_secret_is_a_file_outside_the_repository_that_the_script_makes() -> None:
    script = (ROOT / "deploy/make-secrets").read_text()

    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"deploy/secrets/{name}"}
        assert f"keep {name} " in script
    assert "/deploy/secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_everything_that_is_mounted_from_here_exists() -> None:
    mounts = [volume for service in SERVICES.values() for volume in service.get("volumes", ())]

    for mount in mounts:
        source = mount.split(":")[0]
        assert (ROOT / source).exists() if source.startswith("./") else source in COMPOSE["volumes"]


def test_what_is_no_job_comes_back_after_a_restart_of_the_machine_and_tells_of_a_worker_that_does_not() -> None:
    assert {name for name, service in SERVICES.items() if service.get("restart") == "unless-stopped"} == (
        SERVICES.keys() - JOBS
    )
    for name in ("prometheus", "alertmanager"):
        assert "worker" not in SERVICES[name].get("depends_on", {})


def test_what_must_outlive_its_container_lies_on_a_volume() -> None:
    kept = {name: [volume.split(":")[1] for volume in service.get("volumes", ())] for name, service in SERVICES.items()}

    assert SERVICES["kafka"]["environment"]["KAFKA_LOG_DIRS"] in kept["kafka"]
    assert "/var/lib/postgresql/data" in kept["postgres"]  # where its image keeps it
    for name in ("prometheus", "alertmanager"):
        (path,) = [part.partition("=")[2] for part in SERVICES[name]["command"] if part.startswith("--storage")]
        assert path in kept[name]


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - OURS))
def test_foreign_images_have_a_version(name: str) -> None:
    version = SERVICES[name]["image"].partition(":")[2]

    assert version
    assert version != "latest"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_ports_are_open_to_this_machine_alone(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


def test_the_routing_file_is_one_that_the_monitor_accepts() -> None:
    routing = load_routing(ROOT / "deploy/routing.yaml", {})

    assert routing.priorities.high.recipients
    assert all("mail:1025" in entry.url.get_secret_value() for entry in routing.recipients.values())
