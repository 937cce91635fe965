"""A change of an alert as a notice that a tired clinician understands at three in the morning. Pure.

Priority comes first. No patient is named unless the routing file says so: notices lie on lock screens and mail servers.
The monitor gives no orders: it says what the protocol says, and that a physician decides.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from textwrap import wrap
from zoneinfo import ZoneInfo

from monitor.core.alert import Alert, Change
from monitor.core.finding import Detail
from monitor.notify.figures import figures, plain
from monitor.notify.phrases import caveats, differences, ended_before, ending
from monitor.notify.ports import Notice
from monitor.notify.telling import got_worse, telling
from monitor.notify.texts import RuleText, text_for
from monitor.notify.together import distinct
from monitor.notify.when import spoken, spoken_and_counted
from monitor.protocol.words import stamped

WIDTH = 78

_ACKNOWLEDGE = "TO ACKNOWLEDGE (I have seen it, and I look after it)"
# Enough of a reference to tell two alerts of one rule apart where a mail client or a telephone shows the subject alone.
_SHOWN = 8
_NUMBERED = re.compile(r"\d{1,2}\. ")
_OPEN_AGAIN = "Open again: "
_AFTERWARDS = "Changed after its end: "
_AFTER_ITS_END = (
    "See that the physician who decided knows of this change; only a person can say whether it matters now."
)
_LEADS = {"revised": "Changed: ", "escalated": "More urgent: ", "withdrawn": "Withdrawn: ", "resolved": "Ended: "}


@dataclass(frozen=True, slots=True)
class Style:
    """How notices are written at a site: its zone, whether patients are named, where alerts are acknowledged."""

    tz: ZoneInfo
    study_number: bool = False
    acknowledge_at: str | None = None


def render(change: Change, style: Style, checkpoint: str | None = None) -> Notice:
    """The notice of a change. Total: an alert with odd details makes a plainer notice, never an exception.

    `checkpoint` is the log's newest in one line: whoever keeps the notice can tell a log that was rewritten since.
    """
    if not style.study_number:
        change = _unnamed(change)
    alert, text = change.alert, text_for(change.alert.rule)
    named = f"{alert.patient}: " if style.study_number and alert.patient else ""
    lead = _AFTERWARDS if _over(change) else _OPEN_AGAIN if _came_back(change) else _LEADS.get(change.kind, "")
    title = f"[{alert.priority.upper()}] {lead}{named}{text.title} ({alert.alert_id[:_SHOWN]})"
    parts = _follow_up(change, style) if telling(change).follows_up else _call(change, text, style)
    body = "\n\n".join([_status_line(change), *parts, _foot([alert], style, checkpoint)]) + "\n"
    return Notice(title, body)


def render_together(changes: Sequence[Change], style: Style, checkpoint: str | None = None) -> Notice:
    """The one notice of several reminders of a patient: what is late, what to do, and how to acknowledge each."""
    if len(changes) == 1:
        return render(changes[0], style, checkpoint)
    shown = changes if style.study_number else [_unnamed(change) for change in changes]
    alerts = [change.alert for change in shown]
    first, texts = alerts[0], [text_for(alert.rule) for alert in alerts]
    named = f"{first.patient}: " if style.study_number and first.patient else ""
    late = [f"{n}. {plain(alert.summary, style.tz)}" for n, alert in enumerate(alerts, 1)]
    when = f"When: {spoken_and_counted(first.effective_at, shown[0].at, style.tz)}"
    steps = enumerate(distinct(step for text in texts for step in text.next), 1)
    parts = [
        _status_line(shown[0]),
        _section("WHAT HAPPENED", [*late, when]),
        _section("WHY", distinct(text.means for text in texts)),
        _section("WHAT THE PROTOCOL SAYS", distinct(text.protocol for text in texts)),
        _section("WHAT TO DO NEXT", [f"{n}. {step}" for n, step in steps]),
        _section(_ACKNOWLEDGE, [*map(_command, alerts), *_page(style)]),
        _foot(alerts, style, checkpoint),
    ]
    title = f"[{first.priority.upper()}] {named}{len(alerts)} reminders of one day ({first.alert_id[:_SHOWN]})"
    return Notice(title, "\n\n".join(parts) + "\n")


def _call(change: Change, text: RuleText, style: Style) -> list[str]:
    """The parts of a notice that asks somebody to look."""
    alert = change.alert
    parts = []
    over = _over(change)
    if changed := [*(ended_before(alert) if over else ()), *differences(change, style.tz)]:
        parts.append(_section("WHAT HAS CHANGED", changed))
    happened = [plain(alert.summary, style.tz), f"When: {spoken_and_counted(alert.effective_at, change.at, style.tz)}"]
    if change.kind != "raised":
        happened.append(f"First raised: {spoken_and_counted(alert.raised_at, change.at, style.tz)}")
    parts.append(_section("WHAT HAPPENED", [line for line in happened if line]))
    rests = [f"{name}: {said}" for name, said in _grounds(alert) if said]
    parts.append(_section("WHY", [text.means, *figures(alert, change.at, style.tz), *rests, *caveats(alert)]))
    parts.append(_section("WHAT THE PROTOCOL SAYS", [text.protocol]))
    steps = (_AFTER_ITS_END,) if over else text.next
    parts.append(_section("WHAT TO DO NEXT", [f"{n}. {step}" for n, step in enumerate(steps, 1)]))
    if not over:
        parts.append(_section(_ACKNOWLEDGE, [_command(alert), *_page(style)]))
    return parts


def _came_back(change: Change) -> bool:
    """True for an alert that asks again and is neither more urgent nor surer than it was: its shelf ran out."""
    if change.kind != "escalated" or change.before is None:
        return False
    return not got_worse(change.before, change.alert)


def _over(change: Change) -> bool:
    """True for a change of an alert that had ended: a record under it was corrected afterwards."""
    return change.kind == "revised" and not change.alert.live


def _grounds(alert: Alert) -> list[tuple[str, str]]:
    reading, others = stamped(alert.reading)
    return [("Clause", alert.clause), ("Reading", reading), *(("Other reading", other) for other in others)]


def _follow_up(change: Change, style: Style) -> list[str]:
    """The parts of a notice that says an alert is over."""
    was = change.before or change.alert
    said = [
        plain(was.summary, style.tz),
        f"When: {spoken_and_counted(was.effective_at, change.at, style.tz)}",
        f"Raised: {spoken_and_counted(was.raised_at, change.at, style.tz)}",
        f"Ended: {spoken(change.at, style.tz)}",
    ]
    return [
        _section("WHAT HAS CHANGED", ending(change)),
        _section("WHAT IT SAID", [line for line in said if line]),
    ]


def _status_line(change: Change) -> str:
    """Priority first, then how far to trust it, in one line."""
    alert = change.alert
    words = [f"{alert.priority.upper()} PRIORITY"]
    if telling(change).follows_up:
        return f"{words[0]} - {change.kind.upper()}"
    words += ["ENDED BEFORE"] * _over(change)
    words += ["PROVISIONAL"] * alert.provisional + ["FOR REVIEW"] * alert.review
    return " - ".join(words)


def _command(alert: Alert) -> str:
    return f'safety-monitor acknowledge {alert.alert_id} --actor YOUR-ID --note "WHAT YOU DO"'


def _page(style: Style) -> list[str]:
    return [f"or on the page {style.acknowledge_at}"] if style.acknowledge_at else []


def _foot(alerts: Sequence[Alert], style: Style, checkpoint: str | None) -> str:
    return "\n".join(
        [
            *(f"Reference: {alert.alert_id}, revision {alert.revision} ({alert.rule})" for alert in alerts),
            _whose(alerts[0], style),
            f"Who, what, why: safety-monitor explain {alerts[0].alert_id}",
            f"Times are those of the site ({style.tz.key}).",
            "The monitor gives no orders; a physician decides.",
            *([checkpoint] if checkpoint else []),
        ]
    )


def _whose(alert: Alert, style: Style) -> str:
    if not alert.patient:
        return "Patient: none. This is about the monitor itself."
    if not style.study_number:
        return "Patient: not named in notices; the command below says who it is."
    return f"Patient: {alert.patient}"


def _section(heading: str, paragraphs: Sequence[str]) -> str:
    lines = [heading]
    for paragraph in paragraphs:
        flat = " ".join(paragraph.split())
        if flat.startswith("safety-monitor "):
            lines.append(flat)  # a command that is broken over lines cannot be copied
            continue
        lines += wrap(flat, WIDTH, subsequent_indent="   " if _NUMBERED.match(flat) else "") or [""]
    return "\n".join(lines)


def _unnamed(change: Change) -> Change:
    """The change without the patient's number, should what the alert says hold it."""
    before = change.before
    return replace(change, alert=_masked(change.alert), before=_masked(before) if before is not None else None)


def _masked(alert: Alert) -> Alert:
    if not alert.patient.strip():
        return alert
    number = re.compile(rf"(?<!\w){re.escape(alert.patient)}(?!\w)")

    def mask(value: Detail) -> Detail:
        if isinstance(value, str):
            return number.sub("this patient", value)
        return [number.sub("this patient", str(item)) for item in value] if isinstance(value, list) else value

    details = {name: mask(value) for name, value in alert.details.items()}
    return replace(alert, summary=number.sub("this patient", alert.summary), details=details)
