"""What leaves the house because of a change: rows of the outbox, written in the transaction of what they tell of. Pure.

Every change goes to the alert topic. People hear of those that `telling` says, by the route of the alert's priority;
that an alert was withdrawn or resolved is meant for those alone who were told of it, which the relay finds out from the
receipts.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from monitor.audit.batch import OutboxRow
from monitor.core.alert import Change
from monitor.events.catalogue import ALERT_TOPIC
from monitor.notify.queued import QueuedEvent, QueuedNotice, row_id
from monitor.notify.render import Style, render_together
from monitor.notify.routing import ALERT_CHANNEL, Route, Routing
from monitor.notify.telling import telling
from monitor.notify.together import together

_OPERATIONS = "ops."


class Announcer:
    """Makes the outbox rows. Without a routing (`None`) people are told of nothing, the topics of everything.

    `checkpoint` tells the log's newest checkpoint, for the foot of each notice.
    """

    def __init__(
        self, routing: Routing | None, tz: ZoneInfo, checkpoint: Callable[[], str | None] = lambda: None
    ) -> None:
        self._routing = routing
        self._checkpoint = checkpoint
        self._style = Style(
            tz=tz,
            study_number=routing.study_number if routing else False,
            acknowledge_at=routing.acknowledge_at if routing else None,
        )

    def of_changes(self, changes: Sequence[Change], now: datetime) -> Sequence[OutboxRow]:
        """Rows of changes that happened together; `now` is the wall clock's time of the transaction."""
        rows: list[OutboxRow] = []
        for bundle in together(changes):
            rows += (self._event(change, now) for change in bundle)
            rows += self._notices(bundle, now)
        return rows

    def _event(self, change: Change, now: datetime) -> OutboxRow:
        payload = QueuedEvent.of(change).to_payload()
        return _row(change, ALERT_CHANNEL, ALERT_TOPIC, payload, now)

    def _notices(self, bundle: Sequence[Change], now: datetime) -> Iterator[OutboxRow]:
        change = bundle[0]
        reason = telling(change)
        if self._routing is None or reason.silent:
            return
        notice = render_together(bundle, self._style, self._checkpoint())
        route = self._routing.route(change.alert.priority)
        for recipient in _audience(self._routing, change, everyone=reason.follows_up):
            queued = QueuedNotice(
                alert_id=change.alert.alert_id,
                rule=change.alert.rule,
                change=change.kind,
                title=notice.title,
                body=notice.body,
                only_if_told=reason.follows_up,
                attempts=route.attempts,
                # Who was told of the alert is told of its end; another person in their place would be puzzled.
                fallback=() if reason.follows_up else _fallback(self._routing, route),
                also=tuple(other.alert.alert_id for other in bundle[1:]),
            )
            yield _row(change, self._routing.channel(recipient), recipient, queued.to_payload(), now)


def _audience(routing: Routing, change: Change, *, everyone: bool) -> Sequence[str]:
    if everyone:
        return routing.everyone
    operators = routing.operations if change.alert.rule.startswith(_OPERATIONS) else ()
    return tuple(dict.fromkeys((*routing.route(change.alert.priority).recipients, *operators)))


def _fallback(routing: Routing, route: Route) -> tuple[tuple[str, str], ...]:
    return tuple((name, routing.channel(name)) for name in route.fallback)


def _row(change: Change, channel: str, recipient: str, payload: str, now: datetime) -> OutboxRow:
    alert = change.alert
    return OutboxRow(
        row_id=row_id(change, recipient),
        patient=alert.patient or None,
        alert_id=alert.alert_id,
        channel=channel,
        recipient=recipient,
        priority=alert.priority,
        payload=payload,
        created_at=now,
        not_before=now,
    )
