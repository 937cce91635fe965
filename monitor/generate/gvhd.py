"""Graft-versus-host disease as the clinic assesses it: stages by organ, scores by organ."""

from __future__ import annotations

from typing import Final

from monitor.generate.chart import Chart

ACUTE_ORGANS: Final = ("skin", "liver", "upper_gi", "lower_gi")
CHRONIC_ORGANS: Final = ("skin", "mouth", "eyes", "gi", "liver", "lung", "joints", "genital")


def assess_acute(chart: Chart, day: int) -> None:
    """All four organs, as they are on that day."""
    flare = next((flare for flare in chart.course.acute if flare.active(day)), None)
    stages = {organ: flare.organs.get(organ, 0) if flare else 0 for organ in ACUTE_ORGANS}
    data = {
        "stages": stages,
        "confidence": "confirmed" if flare else "negative",
        "systemic_steroids": flare is not None,
    }
    chart.write("gvhd.acute-assessed", day, data, hour=10, delay_hours=chart.rng.randint(1, 7))


def assess_chronic(chart: Chart, day: int) -> None:
    """All eight organs, as they are on that day."""
    flare = next((flare for flare in chart.course.chronic if flare.active(day)), None)
    scores = {organ: flare.organs.get(organ, 0) if flare else 0 for organ in CHRONIC_ORGANS}
    data = {"present": flare is not None, "organ_scores": scores, "overlap": False}
    data |= {"diagnostic_sign": True} if flare else {}
    chart.write("gvhd.chronic-assessed", day, data, hour=10, delay_hours=chart.rng.randint(1, 7))
