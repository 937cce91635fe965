"""Donor chimerism (protocol.md, `stop.chimerism`)."""

from monitor.events.record import RecordBlock
from monitor.events.scalars import Number, Text


class ChimerismResulted(RecordBlock):
    """Share of donor cells. A decoded fact has `donor_percent` in %; its unit must have been sent."""

    donor_percent: Number
    unit: Text = None
    specimen: Text = None
    lineage: Text = None
    method: Text = None
