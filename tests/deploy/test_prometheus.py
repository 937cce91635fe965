import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.metrics import Metrics
from tests.deploy.promql import OF_PROMETHEUS, metric_names, names_read

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/prometheus"
RULES = FOLDER / "safety-monitor.rules.yml"
TESTS = FOLDER / "safety-monitor.tests.yml"


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load(RULES.read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_reads_only_metrics_that_exist(rule: dict[str, Any]) -> None:
    recorded = {other["record"] for other in rules() if "record" in other}

    assert names_read(rule["expr"]) <= metric_names() | recorded | OF_PROMETHEUS


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_says_what_happened_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket", "none"}
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}

    path, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^## (.+)$", (ROOT / path).read_text(), re.MULTILINE)
    assert anchor in {heading.lower() for heading in headings}


def test_every_heading_of_the_runbook_is_reached_by_an_alert() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "deploy/runbook.md").read_text(), re.MULTILINE)
    anchors = {rule["annotations"]["runbook_url"].partition("#")[2] for rule in alerts()}

    assert {heading.lower() for heading in headings} == anchors


def test_no_rule_names_a_patient() -> None:
    assert "patient=" not in RULES.read_text()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)")
@pytest.mark.parametrize(
    "command",
    [
        ["check", "rules", str(RULES)],
        ["test", "rules", str(TESTS)],
        ["check", "config", "--syntax-only", str(FOLDER / "prometheus.yml")],
    ],
    ids=["rules", "rule-tests", "config"],
)
def test_promtool_accepts(command: list[str]) -> None:
    done = subprocess.run(["promtool", *command], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)")
def test_prometheus_finds_nothing_to_mend_in_our_metrics() -> None:
    text = Metrics().exposition()
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=60, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("amtool") is None, reason="amtool is not installed (Debian: prometheus-alertmanager)")
def test_alertmanager_accepts_its_configuration() -> None:
    file = ROOT / "deploy/alertmanager/alertmanager.yml"
    done = subprocess.run(
        ["amtool", "check-config", str(file)], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_alertmanager_inhibits_only_alerts_that_exist() -> None:
    document = yaml.safe_load((ROOT / "deploy/alertmanager/alertmanager.yml").read_text())
    names = {rule["alert"] for rule in alerts()}

    for inhibition in document["inhibit_rules"]:
        named = re.findall(r'= "(\w+)"', " ".join(inhibition["source_matchers"] + inhibition["target_matchers"]))
        assert len(named) == 2
        assert set(named) <= names
        assert inhibition["equal"] == ["instance"]  # of two workers one that is down keeps the other's alerts up
