"""The Helm chart: what it makes of its values."""

from pathlib import Path

import pytest
import yaml

from monitor.settings import PREFIX, SECRETS_VARIABLE, Settings
from tests.support.chart import CHART, EVERYTHING, helm, pod, rendered, steps, worker

ROOT = Path(__file__).parents[2]


def test_helm_finds_nothing_wrong_with_the_chart() -> None:
    assert helm.lint(str(CHART))["errors"] == []


def test_it_renders_with_everything_and_with_nothing_switched_on() -> None:
    least = {"StatefulSet", "Service", "PodDisruptionBudget", "Job", "ConfigMap roles"}
    assert rendered({}).keys() == least
    assert rendered(EVERYTHING).keys() == least | {"ConfigMap routing", "ServiceMonitor", "PrometheusRule"}
    assert rendered({"migration": {"enabled": False}}).keys() == least - {"Job", "ConfigMap roles"}
    assert rendered({"migration": {"roles": {"enabled": False}}}).keys() == least - {"ConfigMap roles"}
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
    assert worker({})["resources"]["limits"]["memory"] == "512Mi"
    for container in (worker({}), *steps({}).values()):
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["securityContext"]["runAsNonRoot"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_no_secret_is_a_variable_and_workers_do_not_see_the_owners() -> None:
    manifests = rendered(EVERYTHING)
    names = {variable["name"].removeprefix(PREFIX).lower() for variable in worker(EVERYTHING)["env"]}
    assert not names & {name for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)}
    assert "safety-monitor-migration" in str(manifests["Job"])
    assert "safety-monitor-migration" not in str(manifests["StatefulSet"])
    assert "secretKeyRef" not in str(manifests)


def test_probes_ask_what_the_worker_answers() -> None:
    container = worker({})
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["ports"][0]["containerPort"] == Settings.model_fields["http_port"].default


def test_they_ask_at_the_port_that_is_set() -> None:
    manifests = rendered({"settings": {"HTTP_PORT": 9100}})
    (container,) = pod(manifests["StatefulSet"])["containers"]
    assert container["ports"] == [{"name": "http", "containerPort": 9100}]
    assert {container[probe]["httpGet"]["port"] for probe in container if probe.endswith("Probe")} == {"http"}
    assert manifests["Service"]["spec"]["ports"] == [{"name": "http", "port": 9100, "targetPort": "http"}]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FETCH_BYTES", 33_554_432),
        ("QUARANTINE_SHARE", 0.25),
        ("SILENT_AFTER", {"safety.lab": 86_400, "safety.mrd": 2_592_000}),
        ("BROKER_TLS", True),
        ("CLOCK", "system"),
    ],
)
def test_a_setting_arrives_as_it_was_meant(monkeypatch: pytest.MonkeyPatch, name: str, value: object) -> None:
    given = {each["name"]: each.get("value") for each in worker({"settings": {name: value}})["env"]}
    monkeypatch.setenv(PREFIX + name, given[PREFIX + name])
    assert getattr(Settings(), name.lower()) == value


def test_what_a_setting_points_to_can_be_mounted() -> None:
    volume = {"name": "checkpoints", "nfs": {"server": "elsewhere", "path": "/checkpoints"}}
    mount = {"name": "checkpoints", "mountPath": "/var/lib/checkpoints"}
    spec = pod(rendered({**EVERYTHING, "extraVolumes": [volume], "extraVolumeMounts": [mount]})["StatefulSet"])
    assert volume in spec["volumes"]
    assert mount in spec["containers"][0]["volumeMounts"]


def test_every_mount_has_its_volume() -> None:
    for manifest in (rendered(EVERYTHING)["StatefulSet"], rendered(EVERYTHING)["Job"]):
        spec = pod(manifest)
        containers = (*spec.get("initContainers", ()), *spec["containers"])
        assert {mount["name"] for each in containers for mount in each["volumeMounts"]} == {
            volume["name"] for volume in spec["volumes"]
        }


def test_what_selects_workers_does_not_select_the_migrations_pods() -> None:
    manifests = rendered({})
    labels = {
        kind: manifests[kind]["spec"]["template"]["metadata"]["labels"].items() for kind in ("StatefulSet", "Job")
    }
    budget = manifests["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"].items()
    for selector in (manifests["Service"]["spec"]["selector"].items(), budget):
        assert selector <= labels["StatefulSet"]
        assert not selector <= labels["Job"]


def test_images_come_from_where_the_values_say() -> None:
    image = {"repository": "registry.example/safety-monitor", "tag": "1", "pullPolicy": "Always"}
    login = [{"name": "registry"}]
    manifests = rendered({"image": image, "imagePullSecrets": login})
    for manifest in (manifests["StatefulSet"], manifests["Job"]):
        assert pod(manifest)["imagePullSecrets"] == login
    found = [worker({"image": image}), *steps({"image": image}).values()]
    assert [each["image"] for each in found] == [f"{image['repository']}:1"] * 2 + ["postgres:15"]
    assert {each["imagePullPolicy"] for each in found} == {"Always"}


def test_the_operator_finds_its_manifests_by_the_labels_that_it_looks_for() -> None:
    found = {"enabled": True, "labels": {"release": "prometheus"}}
    manifests = rendered({"serviceMonitor": found, "prometheusRule": found})
    for kind in ("ServiceMonitor", "PrometheusRule"):
        assert manifests[kind]["metadata"]["labels"]["release"] == "prometheus"


def test_the_rules_are_those_of_the_one_file_and_the_scrape_is_named_as_they_expect() -> None:
    manifests = rendered(EVERYTHING)
    rules = yaml.safe_load((ROOT / "deploy/prometheus/safety-monitor.rules.yml").read_text())
    assert manifests["PrometheusRule"]["spec"] == rules
    (endpoint,) = manifests["ServiceMonitor"]["spec"]["endpoints"]
    assert {"targetLabel": "job", "replacement": "safety-monitor"} in endpoint["relabelings"]
    assert endpoint["authorization"]["credentials"]["key"] == "safety_monitor_http_token"
