"""Chronic GVHD by the NIH consensus (Jagasia et al., Biol Blood Marrow Transplant 2015;21:389): scores to severity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

ORGANS = ("skin", "mouth", "eyes", "gi", "liver", "lung", "joints", "genital")
Severity = Literal["none", "mild", "moderate", "severe"]
SEVERITIES: tuple[Severity, ...] = ("none", "mild", "moderate", "severe")


def severity(scores: Mapping[str, int]) -> Severity:
    """Global severity of the eight organ scores 0..3; the lung weighs more."""
    lung = scores["lung"]
    others = [score for organ, score in scores.items() if organ != "lung"]
    affected = sum(score >= 1 for score in scores.values())
    if lung >= 2 or 3 in others:
        return "severe"
    if lung == 1 or 2 in others or affected >= 3:
        return "moderate"
    return "mild" if affected else "none"


def rank(name: Severity) -> int:
    """Order of severities: none 0, mild 1, moderate 2, severe 3."""
    return SEVERITIES.index(name)
