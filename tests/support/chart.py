"""The Helm chart, rendered by Helm itself: what a cluster would be given."""

from pathlib import Path
from typing import Any

import pytest
import yaml

helm = pytest.importorskip("helm_python", reason="Helm's SDK has wheels for Linux on x86-64 alone")

CHART = Path(__file__).parents[2] / "deploy/helm/safety-monitor"
EVERYTHING = {
    "routing": "format: 1",
    "settings": {"CLOCK": "system"},
    "serviceMonitor": {"enabled": True},
    "prometheusRule": {"enabled": True},
}


def rendered(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The manifests by kind; those that hold files by what they are for, too."""
    with helm.Chart.load(str(CHART)) as chart:
        files = chart.render(values, name="watch", namespace="trial")
    documents = [each for text in files.values() for each in yaml.safe_load_all(text) if each]
    return {document["kind"] + _purpose(document): document for document in documents}


def _purpose(document: dict[str, Any]) -> str:
    name = str(document["metadata"]["name"]).removeprefix("watch-")
    return f" {name}" if document["kind"] == "ConfigMap" else ""


def pod(manifest: dict[str, Any]) -> dict[str, Any]:
    """What its pods are made of."""
    return dict(manifest["spec"]["template"]["spec"])


def steps(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the migration's Job does, in its order."""
    spec = pod(rendered(values)["Job"])
    return {container["name"]: container for container in (*spec.get("initContainers", ()), *spec["containers"])}


def worker(values: dict[str, Any]) -> dict[str, Any]:
    """The container of a worker."""
    (container,) = rendered(values)["StatefulSet"]["spec"]["template"]["spec"]["containers"]
    return dict(container)
