"""Acute GVHD by MAGIC (Harris et al., Biol Blood Marrow Transplant 2016;22:4): stages to grade, findings to stages."""

from __future__ import annotations

from decimal import Decimal

from monitor.events.gvhd import AcuteFindings, AcuteStages

ORGANS = ("skin", "liver", "upper_gi", "lower_gi")
ROMAN = ("0", "I", "II", "III", "IV")


def grade(skin: int, liver: int, upper_gi: int, lower_gi: int) -> int:
    """Grade 0..4 of four organ stages (upper GI 0..1, the others 0..4); the first match wins."""
    if 4 in (skin, liver, lower_gi):
        return 4
    if liver >= 2 or lower_gi >= 2:
        return 3
    if skin == 3 or liver == 1 or upper_gi == 1 or lower_gi == 1:
        return 2
    return 1 if skin else 0


def staged(findings: AcuteFindings) -> AcuteStages:
    """The stages of raw findings; an organ about which nothing was found out stays unassessed."""
    return AcuteStages(
        skin=_skin(findings),
        liver=_liver(findings.total_bilirubin_mg_dl),
        upper_gi=None if findings.upper_gi_persistent is None else int(findings.upper_gi_persistent),
        lower_gi=_lower_gi(findings),
    )


def volume_disagrees(findings: AcuteFindings) -> bool:
    """Do stool volume and episodes give different stages? The higher counts, for review."""
    volume, episodes = _volume(findings.stool_ml_per_day), _episodes(findings.diarrhoea_episodes_per_day)
    return None not in (volume, episodes) and volume != episodes and _lower_gi(findings) != 4


def _skin(findings: AcuteFindings) -> int | None:
    area = findings.skin_bsa_percent
    if findings.erythroderma and findings.bullae and (findings.desquamation_percent or 0) > 5:
        return 4
    if area is None:
        return 3 if findings.erythroderma else None  # erythroderma is generalised: more than half of the skin
    if area > 50 or findings.erythroderma:
        return 3
    return 2 if area >= 25 else 1 if area > 0 else 0


def _liver(total_bilirubin: Decimal | None) -> int | None:
    """Bounds in mg/dL of total bilirubin: below 2, to 3, to 6, to 15, above."""
    if total_bilirubin is None:
        return None
    if total_bilirubin < 2:
        return 0
    return 1 + sum(total_bilirubin > bound for bound in (3, 6, 15))


def _lower_gi(findings: AcuteFindings) -> int | None:
    if findings.grossly_bloody_stool or findings.severe_abdominal_pain:
        return 4  # severe pain with or without ileus
    stages = [
        stage
        for stage in (_volume(findings.stool_ml_per_day), _episodes(findings.diarrhoea_episodes_per_day))
        if stage is not None
    ]
    return max(stages, default=None)


def _volume(ml_per_day: Decimal | None) -> int | None:
    if ml_per_day is None:
        return None
    return 3 if ml_per_day > 1500 else 2 if ml_per_day >= 1000 else 1 if ml_per_day >= 500 else 0


def _episodes(per_day: Decimal | None) -> int | None:
    if per_day is None:
        return None
    return 3 if per_day > 7 else 2 if per_day >= 5 else 1 if per_day >= 3 else 0
