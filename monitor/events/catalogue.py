"""Every inbound type by its stable wire name, with its topic and its model. Names are contracts: never rename one."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from monitor.events import chimerism, clinical, clock, command, gvhd, lab, mrd, patient, treatment
from monitor.events.record import Frozen

ALERT_TOPIC: Final = "safety.alert"
QUARANTINE_TOPIC: Final = "safety.quarantine"
CHECKPOINT_TOPIC: Final = "safety.checkpoint"
CLOCK_TYPE: Final = "safety.clock.advanced.v1"
CLOCK_MODEL: Final = clock.ClockAdvanced


@dataclass(frozen=True)
class EventType:
    """A type of event: its wire name, the topic it is sent to, the model of its data."""

    name: str
    topic: str
    model: type[Frozen]


_ALL: Final = (
    EventType("safety.patient.enrolled.v1", "safety.patient", patient.PatientEnrolled),
    EventType("safety.patient.status-changed.v1", "safety.patient", patient.StatusChanged),
    EventType("safety.lab.resulted.v1", "safety.lab", lab.LabResulted),
    EventType("safety.mrd.resulted.v1", "safety.mrd", mrd.MrdResulted),
    EventType("safety.chimerism.resulted.v1", "safety.chimerism", chimerism.ChimerismResulted),
    EventType("safety.gvhd.acute-assessed.v1", "safety.gvhd", gvhd.AcuteGvhdAssessed),
    EventType("safety.gvhd.chronic-assessed.v1", "safety.gvhd", gvhd.ChronicGvhdAssessed),
    EventType("safety.adverse-event.reported.v1", "safety.clinical", clinical.AdverseEventReported),
    EventType("safety.disease.assessed.v1", "safety.clinical", clinical.DiseaseAssessed),
    EventType("safety.graft.assessed.v1", "safety.clinical", clinical.GraftAssessed),
    EventType("safety.azacitidine.given.v1", "safety.treatment", treatment.AzacitidineGiven),
    EventType("safety.dli.infused.v1", "safety.treatment", treatment.DliInfused),
    EventType("safety.medication.given.v1", "safety.treatment", treatment.MedicationGiven),
    EventType("safety.treatment.decided.v1", "safety.treatment", treatment.TreatmentDecided),
    EventType("safety.alert.acknowledged.v1", "safety.command", command.AlertAcknowledged),
    EventType("safety.alert.shelved.v1", "safety.command", command.AlertShelved),
    EventType("safety.alert.resolved.v1", "safety.command", command.AlertResolved),
)

TYPES: Final[Mapping[str, EventType]] = MappingProxyType({kind.name: kind for kind in _ALL})
TOPICS: Final[tuple[str, ...]] = tuple(dict.fromkeys(kind.topic for kind in _ALL))
