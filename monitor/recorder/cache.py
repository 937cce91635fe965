"""The patients in memory: a bounded cache of folded histories. The log can always make them again."""

from collections import OrderedDict

from monitor.recorder.known import Known


class PatientCache:
    """Keeps the patients used last."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: OrderedDict[str, Known] = OrderedDict()

    def get(self, patient: str) -> Known | None:
        """What is remembered of a patient."""
        if patient in self._known:
            self._known.move_to_end(patient)
        return self._known.get(patient)

    def put(self, patient: str, known: Known) -> None:
        """Remember a patient; the one used longest ago may go."""
        self._known[patient] = known
        self._known.move_to_end(patient)
        while len(self._known) > self._limit:
            self._known.popitem(last=False)

    def forget(self, patient: str) -> None:
        """Another has written, or the state is in doubt."""
        self._known.pop(patient, None)

    def clear(self) -> None:
        """Partitions changed hands."""
        self._known.clear()
