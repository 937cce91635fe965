"""The marrow: residual disease by flow and by qPCR, chimerism, morphology. Each laboratory answers in its own time."""

from __future__ import annotations

from typing import Any, Final

from monitor.generate.chart import Chart

FLOW_LOD: Final = "0.01"  # % of nucleated cells
FLOW_CUTOFF: Final = "0.1"
QPCR_LOD: Final = "0.001"  # % of ABL1 copies
QPCR_LOQ: Final = "0.003"
QPCR_CUTOFF: Final = "0.01"
CELLS: Final = 500_000


def marrow(chart: Chart, day: int) -> None:
    """One puncture: flow, qPCR, chimerism and morphology."""
    flow(chart, day)
    qpcr(chart, day)
    chimerism(chart, day)
    morphology(chart, day)


def flow(chart: Chart, day: int) -> None:
    """Leukaemic cells by flow cytometry, % of nucleated cells; known after one or two days."""
    data = {"assay": "flow", "lod": FLOW_LOD, "positive_cutoff": FLOW_CUTOFF, "cells": CELLS, "method_version": "8c-2"}
    _residual(chart, day, data, 10 ** chart.course.flow.at(day), delay_hours=chart.rng.randint(20, 44))


def qpcr(chart: Chart, day: int) -> None:
    """The transcript that is followed, % of the reference gene; known after two to five days."""
    data = {"assay": "qpcr", "target": chart.course.patient.target, "lod": QPCR_LOD, "loq": QPCR_LOQ}
    data |= {"positive_cutoff": QPCR_CUTOFF, "method_version": "v3"}
    copies = {"reference_copies": chart.rng.randint(30_000, 90_000)}
    _residual(chart, day, data | copies, 10 ** chart.course.qpcr.at(day), delay_hours=chart.rng.randint(48, 110))


def chimerism(chart: Chart, day: int) -> None:
    """Donor share of unsorted marrow cells, %; known after one to three days."""
    level = min(100.0, chart.course.chimerism.at(day) + chart.rng.triangular(-0.4, 0.4, 0.0))
    data = {
        "donor_percent": f"{level:.1f}",
        "unit": "%",
        "specimen": "bone_marrow",
        "lineage": "whole",
        "method": "str",
    }
    chart.write("chimerism.resulted", day, data, hour=9, delay_hours=chart.rng.randint(24, 70))


def morphology(chart: Chart, day: int) -> None:
    """Blasts by the microscope: at most what a healthy marrow has, unless the flow says otherwise."""
    level: float = 10 ** chart.course.flow.at(day)
    blasts = chart.rng.triangular(0.0, 2.5, 0.5) if level < 1 else level
    data = {"marrow_blast_percent": f"{blasts:.1f}", "blood_blast_percent": "0", "extramedullary": False}
    chart.write("disease.assessed", day, data | {"relapse": level >= 5}, hour=9, delay_hours=chart.rng.randint(8, 30))


def _residual(chart: Chart, day: int, data: dict[str, Any], level: float, *, delay_hours: int) -> None:
    noisy = level * chart.rng.triangular(0.85, 1.2, 1.0)
    limit = float(data["lod"])
    common = {"specimen": "bone_marrow", "unit": "%", "lab": "central"}
    if noisy < limit:
        result: dict[str, Any] = {"value": data["lod"], "comparator": "<", "detected": False}
    else:
        result = {"value": f"{noisy:.4f}", "detected": True}
    chart.write("mrd.resulted", day, data | common | result, hour=9, delay_hours=delay_hours)
