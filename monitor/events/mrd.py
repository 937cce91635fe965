"""Measurable residual disease (protocol.md, "MRD")."""

from typing import ClassVar, Literal

from monitor.events.record import RecordBlock
from monitor.events.scalars import Amount, Flag, Number, Text, Word


class MrdResulted(RecordBlock):
    """One MRD result, in the unit it was sent in: values are never compared across series.

    Undetected is `detected: false`, or the comparator `<` with the limit as the value.
    """

    says: ClassVar[tuple[str, ...]] = ("value", "detected")

    assay: Literal["flow", "qpcr", "ngs", "dpcr"]
    target: Text = None
    specimen: Literal["bone_marrow", "peripheral_blood"]
    value: Number | None = None
    comparator: Literal["<", ">"] | None = None
    unit: Word = "%"
    detected: Flag | None = None
    lod: Amount | None = None
    loq: Amount | None = None
    positive_cutoff: Amount | None = None
    cells: Amount | None = None
    reference_copies: Amount | None = None
    adequate: Flag = True
    lab: Text = None
    method_version: Text = None

    def says_nothing(self) -> bool:
        """An inadequate sample may have no result; an adequate one has a value, or was detected or not."""
        return self.value is None and self.detected is None and self.adequate
