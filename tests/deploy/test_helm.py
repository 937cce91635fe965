"""The Helm chart, rendered by Helm itself: what a cluster would be given."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.settings import PREFIX, SECRETS_VARIABLE, Settings

helm = pytest.importorskip("helm_python", reason="Helm's SDK has wheels for Linux on x86-64 alone")

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/safety-monitor"
EVERYTHING = {
    "routing": "format: 1",
    "settings": {"CLOCK": "system"},
    "serviceMonitor": {"enabled": True},
    "prometheusRule": {"enabled": True},
}


def rendered(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The manifests by kind."""
    with helm.Chart.load(str(CHART)) as chart:
        files = chart.render(values, name="watch", namespace="trial")
    documents = [each for text in files.values() for each in yaml.safe_load_all(text) if each]
    return {document["kind"]: document for document in documents}


def worker(values: dict[str, Any]) -> dict[str, Any]:
    (container,) = rendered(values)["StatefulSet"]["spec"]["template"]["spec"]["containers"]
    return dict(container)


def test_helm_finds_nothing_wrong_with_the_chart() -> None:
    assert helm.lint(str(CHART))["errors"] == []


def test_it_renders_with_everything_and_with_nothing_switched_on() -> None:
    least = {"StatefulSet", "Service", "PodDisruptionBudget", "Job"}
    assert rendered({}).keys() == least
    assert rendered(EVERYTHING).keys() == least | {"ConfigMap", "ServiceMonitor", "PrometheusRule"}
    assert "PodDisruptionBudget" not in rendered({"replicas": 1})


def test_every_setting_is_one_that_the_monitor_reads() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {SECRETS_VARIABLE}
    assert {variable["name"] for variable in worker(EVERYTHING)["env"]} <= known


def test_a_worker_keeps_its_name_over_restarts_and_has_time_to_stop() -> None:
    spec = rendered({})["StatefulSet"]["spec"]["template"]["spec"]
    (instance,) = [each for each in spec["containers"][0]["env"] if each["name"] == f"{PREFIX}INSTANCE"]
    assert instance["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert spec["terminationGracePeriodSeconds"] > Settings.model_fields["shutdown_grace"].default


def test_it_has_the_memory_that_the_limits_are_made_for_and_no_more_rights_than_it_needs() -> None:
    container = worker({})
    assert container["resources"]["limits"]["memory"] == "512Mi"
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_no_secret_is_a_variable_and_workers_do_not_see_the_owners() -> None:
    manifests = rendered(EVERYTHING)
    names = {variable["name"].removeprefix(PREFIX).lower() for variable in worker(EVERYTHING)["env"]}
    assert not names & {name for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)}
    assert "safety-monitor-migration" in str(manifests["Job"])
    assert "safety-monitor-migration" not in str(manifests["StatefulSet"])


def test_probes_ask_what_the_worker_answers() -> None:
    container = worker({})
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["ports"][0]["containerPort"] == Settings.model_fields["http_port"].default


def test_the_rules_are_those_of_the_one_file_and_the_scrape_is_named_as_they_expect() -> None:
    manifests = rendered(EVERYTHING)
    rules = yaml.safe_load((ROOT / "deploy/prometheus/safety-monitor.rules.yml").read_text())
    assert manifests["PrometheusRule"]["spec"] == rules
    (endpoint,) = manifests["ServiceMonitor"]["spec"]["endpoints"]
    assert {"targetLabel": "job", "replacement": "safety-monitor"} in endpoint["relabelings"]
    assert endpoint["authorization"]["credentials"]["key"] == "safety_monitor_http_token"
