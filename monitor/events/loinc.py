"""LOINC codes: what the rules read under which code and unit, and what is only a slip away from such a code."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from stdnum import luhn

from monitor.events.lab import Analyte

_LOINC = re.compile(r"\d{1,7}-\d", re.ASCII)


@dataclass(frozen=True)
class Measured:
    """What one code measures: the unit it is read in, and the highest value that can be, in that unit."""

    analyte: Analyte
    unit: str
    highest: Decimal


# Mass to molar: plausible limits are given in umol/L (domain-background.md, 2A); 113.12 and 584.66 g/mol.
UMOL_PER_MG_DL_CREATININE: Final = Decimal("88.4")
UMOL_PER_MG_DL_BILIRUBIN: Final = Decimal("17.104")

_COUNT, _ENZYME, _MASS, _MOLAR, _SHARE, _FLOW = "10*9/L", "U/L", "mg/dL", "umol/L", "%", "mL/min"
_DIRECT, _TOTAL, _CREATININE = Decimal(1000), Decimal(1500), Decimal(2650)  # umol/L

MEASURED: Final[Mapping[str, Measured]] = MappingProxyType(
    {
        "751-8": Measured(Analyte.NEUTROPHILS, _COUNT, Decimal(100)),
        "26499-4": Measured(Analyte.NEUTROPHILS, _COUNT, Decimal(100)),
        "753-4": Measured(Analyte.NEUTROPHILS, _COUNT, Decimal(100)),
        "777-3": Measured(Analyte.PLATELETS, _COUNT, Decimal(3000)),
        "26515-7": Measured(Analyte.PLATELETS, _COUNT, Decimal(3000)),
        "6690-2": Measured(Analyte.WBC, _COUNT, Decimal(500)),
        "26464-8": Measured(Analyte.WBC, _COUNT, Decimal(500)),
        "26446-5": Measured(Analyte.BLOOD_BLASTS, _SHARE, Decimal(100)),
        "1920-8": Measured(Analyte.AST, _ENZYME, Decimal(20000)),
        "1742-6": Measured(Analyte.ALT, _ENZYME, Decimal(20000)),
        "1968-7": Measured(Analyte.DIRECT_BILIRUBIN, _MASS, _DIRECT / UMOL_PER_MG_DL_BILIRUBIN),
        "14629-0": Measured(Analyte.DIRECT_BILIRUBIN, _MOLAR, _DIRECT),
        "1975-2": Measured(Analyte.TOTAL_BILIRUBIN, _MASS, _TOTAL / UMOL_PER_MG_DL_BILIRUBIN),
        "14631-6": Measured(Analyte.TOTAL_BILIRUBIN, _MOLAR, _TOTAL),
        "2160-0": Measured(Analyte.CREATININE, _MASS, _CREATININE / UMOL_PER_MG_DL_CREATININE),
        "14682-9": Measured(Analyte.CREATININE, _MOLAR, _CREATININE),
        "2164-2": Measured(Analyte.CREATININE_CLEARANCE, _FLOW, Decimal(300)),
    }
)

PREGNANCY_CODES: Final = frozenset({"2118-8", "2106-3"})  # chorionic gonadotropin present: in serum, in urine


@lru_cache(maxsize=4096)
def is_slip(code: str) -> bool:
    """Is it a code that the rules read with one digit wrong, missing or doubled, or two neighbours exchanged?

    Such a code has a wrong check digit (mod 10, Luhn). As an unknown code it would be kept and its result overlooked.
    """
    if not _LOINC.fullmatch(code) or luhn.is_valid(code.replace("-", "")):
        return False
    return any(_one_slip_apart(code, read) for read in (*MEASURED, *PREGNANCY_CODES))


def _one_slip_apart(code: str, read: str) -> bool:
    if len(code) != len(read):
        longer, shorter = sorted((code, read), key=len, reverse=True)
        return any(longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer)))
    wrong = [at for at in range(len(read)) if code[at] != read[at]]
    exchanged = len(wrong) == 2 and code[wrong[0]] == read[wrong[1]] and code[wrong[1]] == read[wrong[0]]
    return len(wrong) == 1 or (exchanged and code[wrong[0] + 1 : wrong[1]] in ("", "-"))
