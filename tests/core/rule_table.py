"""Every rule of the protocol: priority, review and clause, as written down for the trial, apart from the code.

Review is "yes", "no" or "doubt" (only where what an alert rests on is provisional, a lower bound, without a diagnostic
sign, or unknown). The last column names the file that holds the tests of the rule.
"""

from typing import Literal, NamedTuple


class Row(NamedTuple):
    """One rule as the protocol's table has it."""

    id: str
    priority: Literal["high", "medium", "low"]
    review: Literal["yes", "no", "doubt"]
    clause: str
    tests: str


TABLE = (
    Row("stop.life-threatening", "high", "doubt", "stop.1", "test_stops"),
    Row("stop.acute-gvhd", "high", "doubt", "stop.2", "test_stops"),
    Row("stop.chronic-gvhd", "high", "doubt", "stop.2", "test_stops"),
    Row("stop.overlap", "high", "doubt", "stop.2", "test_stops"),
    Row("stop.relapse", "high", "doubt", "stop.3", "test_stops"),
    Row("stop.graft-rejection", "high", "doubt", "stop.3", "test_stops"),
    Row("stop.chimerism", "high", "doubt", "stop.3", "test_stops"),
    Row("stop.basis-retracted", "high", "yes", "stop", "test_retraction"),
    Row("treatment.dose-after-stop", "high", "no", "stop", "test_stops"),
    Row("mrd.rising", "medium", "no", "dosing.3", "test_mrd_rising"),
    Row("mrd.positive", "medium", "no", "dosing.3", "test_mrd_rising"),
    Row("mrd.baseline-positive", "medium", "yes", "dosing.3", "test_mrd_rising"),
    Row("mrd.confirmation-due", "medium", "yes", "dosing.3", "test_mrd_review"),
    Row("mrd.rise-borderline", "low", "yes", "dosing.3", "test_mrd_rising"),
    Row("mrd.series-break", "low", "yes", "dosing.3", "test_mrd_review"),
    Row("mrd.sensitivity-changed", "low", "yes", "dosing.3", "test_mrd_review"),
    Row("mrd.low-level", "low", "no", "dosing.3", "test_mrd_review"),
    Row("gvhd.boundary-grade", "medium", "yes", "stop.2", "test_gvhd_review"),
    Row("gvhd.incomplete", "medium", "yes", "stop.2", "test_gvhd_review"),
    Row("gvhd.grade-mismatch", "medium", "yes", "stop.2", "test_gvhd_review"),
    Row("gvhd.chronic-mild", "medium", "yes", "stop.2", "test_gvhd_review"),
    Row("restart.window-open", "medium", "no", "stop.2", "test_window"),
    Row("restart.window-closing", "medium", "no", "stop.2", "test_window"),
    Row("restart.window-expired", "medium", "yes", "stop.2", "test_window"),
    Row("restart.window-blocked", "medium", "yes", "stop.2", "test_window"),
    Row("restart.window-invalidated", "medium", "yes", "stop.2", "test_window"),
    Row("restart.outside-window", "high", "yes", "stop.2", "test_window"),
    Row("restart.second", "medium", "yes", "stop.2", "test_window"),
    Row("eligibility.stop-criterion", "medium", "yes", "exclusion.6", "test_eligibility"),
    Row("eligibility.failed", "medium", "yes", "inclusion, exclusion", "test_eligibility"),
    Row("eligibility.incomplete", "low", "no", "inclusion, exclusion", "test_eligibility"),
    Row("start.too-early", "medium", "yes", "dosing.1", "test_start_window"),
    Row("start.too-late", "medium", "yes", "dosing.1", "test_start_window"),
    Row("start.window-conflict", "medium", "yes", "dosing.1", "test_start_window"),
    Row("azacitidine.dose", "medium", "yes", "dosing", "test_azacitidine"),
    Row("azacitidine.days", "low", "no", "dosing", "test_azacitidine"),
    Row("azacitidine.cycle-early", "low", "no", "dosing", "test_azacitidine"),
    Row("azacitidine.cycle-late", "low", "no", "dosing", "test_azacitidine"),
    Row("azacitidine.cycle-count", "low", "no", "dosing", "test_azacitidine"),
    Row("dli.dose", "high", "yes", "dosing", "test_dli_dose"),
    Row("dli.active-gvhd", "high", "yes", "dosing", "test_dli_dose"),
    Row("dli.premedication-missing", "medium", "no", "dosing.2", "test_dli_dose"),
    Row("dli.steroid", "medium", "no", "dosing.2", "test_dli_dose"),
    Row("dli.too-soon", "medium", "yes", "dosing", "test_dli"),
    Row("dli.count", "medium", "yes", "dosing", "test_dli"),
    Row("dli.interval-short", "low", "no", "dosing", "test_dli"),
    Row("dli.interval-long", "low", "no", "dosing", "test_dli"),
    Row("dli.schedule-conflict", "low", "yes", "dosing", "test_dli_conflict"),
    Row("monitoring.overdue", "low", "no", "practice", "test_monitoring"),
    Row("chimerism.falling", "medium", "yes", "stop.3", "test_chimerism_review"),
    Row("chimerism.non-marrow-low", "medium", "yes", "stop.3", "test_chimerism_review"),
    Row("relapse.blood-blasts", "high", "yes", "stop.3", "test_blood_blasts"),
    Row("graft.function", "medium", "yes", "stop.3", "test_graft_function"),
    Row("lab.grade-4", "medium", "yes", "stop.1", "test_lab_grade_4"),
    Row("pregnancy.positive", "high", "yes", "exclusion.10", "test_pregnancy"),
    Row("report.susar-clock", "high", "doubt", "practice", "test_susar"),
    Row("data.conflict", "medium", "yes", "practice", "test_data_quality"),
    Row("data.unit-unknown", "medium", "yes", "practice", "test_data_quality"),
    Row("data.implausible", "medium", "yes", "practice", "test_data_quality"),
    Row("data.refused", "medium", "yes", "practice", "test_data_quality"),
    Row("data.unsigned-decision", "medium", "yes", "practice", "test_data_quality"),
)
