import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.promql import metric_names, names_read

FOLDER = Path(__file__).parents[2] / "deploy/grafana"
DASHBOARDS = sorted((FOLDER / "dashboards").glob("*.json"))


def panels() -> list[Any]:
    return [
        pytest.param(panel, id=f"{path.stem}-{panel['title']}")
        for path in DASHBOARDS
        for panel in json.loads(path.read_text())["panels"]
        if panel["type"] != "row"
    ]


@pytest.mark.parametrize("panel", panels())
def test_a_panel_reads_only_metrics_that_exist(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        assert names_read(target["expr"]) <= metric_names()


@pytest.mark.parametrize("panel", panels())
def test_a_panel_explains_itself_and_takes_the_chosen_data_source(panel: dict[str, Any]) -> None:
    assert panel["description"]
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_panels_have_numbers_of_their_own_and_do_not_overlap(path: Path) -> None:
    panels = json.loads(path.read_text())["panels"]
    cells = [
        (x, y)
        for at in (panel["gridPos"] for panel in panels)
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def test_grafana_finds_its_data_source_and_its_dashboards() -> None:
    (source,) = yaml.safe_load((FOLDER / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    (provider,) = yaml.safe_load((FOLDER / "provisioning/dashboards/safety-monitor.yml").read_text())["providers"]
    compose = yaml.safe_load((FOLDER.parents[1] / "docker-compose.yml").read_text())
    mounts = compose["services"]["grafana"]["volumes"]

    assert source["type"] == "prometheus"
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in mounts
