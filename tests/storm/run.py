"""Storms over workers, brokers and databases, one after another: `make storm N=5 SEED=1`.

Each is drawn from its seed. A line each tells what it did and what it left; the exit code is 1 if anything was lost,
doubled or otherwise wrong, 2 where storms cannot be had.
"""

import argparse
import logging
import sys
import time
import traceback
from collections import Counter

from tests.storm.storm import storm
from tests.support.kafka_libs import KafkaMissing, kafka_libs
from tests.support.postgres import MISSING, PostgresCluster, find_programs


def main() -> int:
    """Run the storms that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--storms", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--events", type=int, required=True, help="of the trial, without poison")
    parser.add_argument("--faults", type=int, required=True)
    asked = parser.parse_args()
    for name in ("aiokafka", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # their complaints about the weather
    programs = find_programs()
    if programs is None:
        return _impossible(MISSING)
    try:
        kafka_libs()
    except KafkaMissing as error:
        return _impossible(str(error))
    postgres = PostgresCluster(programs)
    bad = 0
    try:
        postgres.start()
        for seed in range(asked.seed, asked.seed + asked.storms):
            bad += not _told(seed, postgres, asked.events, asked.faults)
    finally:
        postgres.remove()
    print(f"{asked.storms} storms, {bad} with something wrong")
    return 1 if bad else 0


def _impossible(why: str) -> int:
    print(f"no storms: {why}", file=sys.stderr)
    return 2


def _told(seed: int, postgres: PostgresCluster, events: int, strikes: int) -> bool:
    """Run one storm and print what came of it; True if all is well."""
    began = time.monotonic()
    try:
        after = storm(seed, postgres, events=events, strikes=strikes)
    except Exception:
        print(f"storm {seed}: could not be judged\n{traceback.format_exc()}", flush=True)
        return False
    left = after.left
    struck = ", ".join(f"{number} {kind}" for kind, number in sorted(Counter(after.struck).items()))
    print(
        f"storm {seed}: {after.what}; {len(after.struck)} faults ({struck}); events sent {left.events}, "
        f"on log {left.on_log}, quarantined {left.quarantined}, lost {left.lost}, doubled {left.doubled}, "
        f"alerts matched {left.matched}, notices {left.notices}, portions sent again {after.sent_again}; "
        f"{time.monotonic() - began:.0f} s",
        flush=True,
    )
    for what in after.wrong:
        print(f"  wrong: {what}", flush=True)
    return not (left.lost or left.doubled or after.wrong)


if __name__ == "__main__":
    sys.exit(main())
