"""Histories for the laws: courses of a patient as Hypothesis draws them, with everything that goes wrong in charts."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.core import charts

days = st.integers(min_value=82, max_value=230)

halves = st.sampled_from([0, 0.25, 0.5])
lag = st.sampled_from([0.05, 0.05, 0.05, 1, 6, 20, 45])
percent = st.sampled_from(["99", "95", "93", "90", "89.96", "85"])
mrd_values = st.sampled_from([None, "0.002", "0.009", "0.01", "0.02", "0.1", "0.2", "1.5", "20"])
stage = st.sampled_from([0, 0, 0, 1, 2, 3, 4, None])
statuses = st.sampled_from(["final", "final", "final", "preliminary", "corrected", "amended", "entered-in-error"])


@st.composite
def revised(draw: st.DrawFn, kind: Any, prefix: str, *args: Any, **kwargs: Any) -> list[bytes]:
    """One record with one to three versions, issued at or after its day."""
    record, day = f"{prefix}-{draw(st.integers(0, 5))}", draw(days) + draw(halves)
    return draw(versions_of(kind, record, day, *args, **kwargs))


@st.composite
def versions_of(draw: st.DrawFn, kind: Any, record: str, day: float, *args: Any, **kwargs: Any) -> list[bytes]:
    """One to three messages of a record: corrected, taken back, at odds under one version; some without an hour."""
    versions, number = [], 0
    precision = {"effective_at": charts.on_date(int(day))} if draw(st.integers(0, 5)) == 0 else {}
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        number += draw(st.sampled_from([1, 1, 1, 0])) if number else 1
        status = draw(statuses) if number > 1 or draw(st.integers(0, 5)) == 0 else "final"
        more = {"status": status} if status in ("final", "preliminary") else {"status": status, "reason": "checked"}
        more |= precision
        drawn = {name: draw(value) if isinstance(value, st.SearchStrategy) else value for name, value in kwargs.items()}
        values = [draw(value) if isinstance(value, st.SearchStrategy) else value for value in args]
        issued = day + draw(lag)
        versions.append(kind(day, *values, record=record, version=number, issued=issued, **more, **drawn))
    return versions


def adverse_event(day: float, record: str, **more: Any) -> bytes:
    return charts.message("adverse-event.reported", record, day, term="event", **more)


def disease(day: float, record: str, **more: Any) -> bytes:
    return charts.message("disease.assessed", record, day, **more)


def lab(day: float, code: str, value: str, record: str, **more: Any) -> bytes:
    unit = "%" if code == "26446-5" else "10*9/L"
    return charts.message("lab.resulted", record, day, code=code, value=value, unit=unit, **more)


def status(day: float, record: str, **more: Any) -> bytes:
    return charts.message("patient.status-changed", record, day, **more)


flag = st.sampled_from([True, False, None])
record = st.one_of(
    revised(charts.azacitidine, "aza", st.integers(1, 4)),
    revised(charts.azacitidine, "aza", st.integers(1, 4)),
    revised(charts.dli, "dli", st.sampled_from(["1e5", "5e5", "1.2e5", "1e6"])),
    revised(charts.marrow, "chimerism", percent, lineage=st.sampled_from(["whole", "whole", "cd3"])),
    revised(charts.mrd, "mrd", mrd_values, assay=st.sampled_from(["qpcr", "flow"])),
    revised(charts.acute, "acute", stage, stage, confidence=st.sampled_from(["confirmed", "possible", "negative"])),
    revised(charts.acute, "acute", stage, st.just(0)),
    revised(charts.chronic, "chronic"),
    revised(
        charts.chronic,
        "chronic",
        present=st.just(True),
        organ_scores=st.sampled_from([{**charts.NO_ORGAN, "skin": 1}, {**charts.NO_ORGAN, "lung": 1}, {"eyes": 2}]),
        overlap=flag,
        diagnostic_sign=flag,
    ),
    revised(
        charts.decided,
        "decision",
        st.sampled_from(["stop", "hold", "restart", "continue", "complete"]),
        signed_by=st.sampled_from(["pi", "pi", "pi", None]),
    ),
    revised(
        adverse_event,
        "ae",
        ctcae_grade=st.integers(1, 5),
        laboratory=flag,
        life_threatening=flag,
        serious=flag,
        related=flag,
        expected=flag,
    ),
    revised(disease, "disease", marrow_blast_percent=st.sampled_from(["0", "4.9", "5"]), extramedullary=flag),
    revised(lab, "lab", st.sampled_from(["751-8", "777-3", "26446-5"]), st.sampled_from(["0.3", "1.0", "20", "101"])),
)


quiet = st.one_of(
    revised(charts.acute, "acute", st.sampled_from([0, 0, 1, 3, 4])),
    revised(charts.acute, "acute", st.just(0)),
    revised(charts.chronic, "chronic"),
    revised(charts.chronic, "chronic"),
    revised(
        charts.chronic,
        "sick",
        present=st.just(True),
        organ_scores=st.just({**charts.NO_ORGAN, "skin": 1}),
        diagnostic_sign=flag,
    ),
    revised(charts.decided, "decision", st.sampled_from(["stop", "hold", "restart", "continue"])),
    revised(charts.dli, "dli"),
    revised(charts.marrow, "chimerism", st.sampled_from(["97", "91", "85"])),
    revised(charts.mrd, "mrd", mrd_values),
    revised(charts.mrd, "mrd", mrd_values),
)


SICK: dict[str, Any] = {"present": True, "organ_scores": charts.NO_ORGAN | {"skin": 1}}


def near(*milestones: int) -> st.SearchStrategy[float]:
    """Days just before, at and after what matters: at 09:00, and at the midnights beside."""
    return st.builds(lambda day, step: day + step, st.sampled_from(milestones), st.sampled_from([-0.4, -0.375, 0, 0.7]))


@st.composite
def courses_with_a_window(draw: st.DrawFn) -> list[bytes]:
    """Stopped for acute GVHD on D+110: a window from D+140 to D+170 that opens, is suspended, used or missed.

    Or so much later that the window is still open, pending or blocked when the laws look.
    """
    later_by = draw(st.sampled_from([0, 0, 130, 150, 180]))

    def around(*milestones: int) -> st.SearchStrategy[float]:
        return near(*(day + later_by for day in milestones))

    messages = [charts.enrolled(85), *(charts.azacitidine(95 + n, record=f"first-{n}") for n in range(5))]
    messages += draw(versions_of(charts.acute, "stop", 110 + later_by, st.sampled_from([3, 3, 3, 4])))
    steps = [
        versions_of(charts.decided, "hold", draw(around(108, 110, 112)), st.sampled_from(["hold", "stop"])),
        versions_of(charts.acute, "remission", draw(around(110, 120, 145)), st.sampled_from([0, 0, 0, 1])),
        versions_of(charts.chronic, "none", draw(around(110, 121, 150))),
    ]
    if draw(st.booleans()):
        messages += [
            charts.decided(110.2 + later_by, "hold", record="hold"),
            charts.acute(120 + later_by, record="remission"),
        ]
        messages += [charts.chronic(121 + later_by, record="none")]
    else:
        for step in steps:
            messages += draw(step) if draw(st.integers(0, 7)) else []
    order = st.sampled_from(["restart", "continue"])
    if draw(st.booleans()):
        messages.append(charts.decided(draw(around(140, 155, 170, 171)), draw(order), record="restart"))
    later = [
        versions_of(charts.acute, "back", draw(around(130, 145, 155)), st.sampled_from([1, 3, 4])),
        versions_of(charts.acute, "again", draw(around(150, 160)), st.just(0)),
        versions_of(charts.chronic, "again-none", draw(around(151, 161))),
        versions_of(charts.chronic, "sick", draw(around(125, 150, 172)), diagnostic_sign=flag, overlap=flag, **SICK),
        versions_of(charts.marrow, "chimerism", draw(around(125, 150)), st.sampled_from(["85", "95"])),
        versions_of(charts.azacitidine, "unasked", draw(around(110, 130, 150))),
        versions_of(
            charts.decided,
            "restart",
            draw(around(140, 155, 171)),
            order,
            signed_by=st.sampled_from(["pi", "pi", "pi", None]),
        ),
        versions_of(charts.decided, "second", draw(around(150, 190)), st.sampled_from(["restart", "hold"])),
    ]
    for step in later:
        messages += draw(step) if draw(st.integers(0, 3)) == 3 else []
    return messages


@st.composite
def courses_after_a_stop(draw: st.DrawFn) -> list[bytes]:
    """Treated, stopped for acute GVHD on about D+120, and what may follow: windows open, close and are used."""
    messages = [charts.enrolled(85), *(charts.azacitidine(95 + n, record=f"first-{n}") for n in range(5))]
    messages += draw(revised(charts.acute, "stop", 3))
    for versions in draw(st.lists(quiet, min_size=3, max_size=12)):
        messages += versions
    return messages


@st.composite
def courses_of_results(draw: st.DrawFn) -> list[bytes]:
    """Treated and followed: MRD of one series and another, blood and sorted cells, counts and adverse events."""
    messages = [charts.enrolled(85), *(charts.azacitidine(95 + n, record=f"first-{n}") for n in range(5))]
    values = st.sampled_from([None, None, "0.001", "0.002", "0.009", "0.01", "0.02", "0.021", "0.1", "0.2", "2"])
    for visit in range(draw(st.integers(3, 7))):
        day = 98 + 14 * visit
        more = {"assay": "qpcr"} if draw(st.integers(0, 5)) else {"assay": "ngs", "lod": "0.0001"}
        messages += draw(versions_of(charts.mrd, f"mrd-{visit}", day, values, **more))
    cells = st.sampled_from(["blood", "bone_marrow"])
    lineages = st.sampled_from(["whole", "cd3", "cd34"])
    results = st.one_of(
        revised(charts.marrow, "chimerism", percent, specimen=cells, lineage=lineages),
        revised(
            lab, "lab", st.sampled_from(["751-8", "777-3", "26446-5"]), st.sampled_from(["0.3", "1.0", "4.9", "20"])
        ),
        revised(adverse_event, "ae", ctcae_grade=st.integers(3, 5), laboratory=flag, serious=flag, related=flag),
        revised(adverse_event, "ae", life_threatening=flag, expected=flag, serious=flag),
    )
    for versions in draw(st.lists(results, min_size=1, max_size=6)):
        messages += versions
    return messages


@st.composite
def any_history(draw: st.DrawFn, max_records: int = 14) -> list[bytes]:
    """A chart: usually enrolled and treated, with a dozen records and their versions."""
    messages = [charts.enrolled(draw(st.integers(70, 95)))] if draw(st.integers(0, 9)) else []
    if draw(st.integers(0, 5)):
        messages += [
            charts.azacitidine(draw(st.sampled_from([88, 95, 100, 125])) + n, record=f"first-{n}") for n in range(5)
        ]
    for versions in draw(st.lists(record, min_size=1, max_size=max_records)):
        messages += versions
    if draw(st.integers(0, 12)) == 0:
        messages.append(status(draw(days), "status", patient_status="withdrawn"))
    return messages


def histories(max_records: int = 14) -> st.SearchStrategy[list[bytes]]:
    """Anything at all, a course after a stop, or one of results."""
    return any_history(max_records) | courses_after_a_stop() | courses_with_a_window() | courses_of_results()
