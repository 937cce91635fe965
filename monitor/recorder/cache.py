"""The patients in memory: a bounded cache of folded histories. The log can always make them again."""

from collections import OrderedDict

from monitor.recorder.known import Known


class PatientCache:
    """Keeps the patients used last: so many at most, and no more facts in all than so many.

    A fact takes some 4 KiB and a patient some 20 KiB more, so a count of patients alone would bound nothing.
    """

    def __init__(self, patients: int, facts: int) -> None:
        self._patients = patients
        self._limit = facts
        self._facts = 0
        self._known: OrderedDict[str, Known] = OrderedDict()

    @property
    def facts(self) -> int:
        """How many facts the patients in memory have."""
        return self._facts

    def get(self, patient: str) -> Known | None:
        """What is remembered of a patient."""
        if patient in self._known:
            self._known.move_to_end(patient)
        return self._known.get(patient)

    def put(self, patient: str, known: Known) -> None:
        """Remember a patient; those used longest ago may go. The one put last stays, however large it is."""
        self.forget(patient)
        self._known[patient] = known
        self._facts += known.facts
        while len(self._known) > 1 and (len(self._known) > self._patients or self._facts > self._limit):
            self._let_go()

    def make_room(self) -> None:
        """Another is about to be folded, and put here once it is committed: until then it counts as one, too."""
        if len(self._known) >= self._patients:
            self._let_go()

    def forget(self, patient: str) -> None:
        """Another has written, or the state is in doubt."""
        if (gone := self._known.pop(patient, None)) is not None:
            self._facts -= gone.facts

    def clear(self) -> None:
        """Partitions changed hands."""
        self._known.clear()
        self._facts = 0

    def _let_go(self) -> None:
        _, gone = self._known.popitem(last=False)
        self._facts -= gone.facts
