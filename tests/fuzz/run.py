"""Coverage-guided fuzzing of the doors, bounded in time: `make fuzz SECONDS=120`.

Each target runs in a process of its own (libFuzzer ends the one it runs in). What it finds to be new lies in `.fuzz`;
an input that breaks a promise becomes a file of tests/fuzz/regressions, which the usual suite replays for ever.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
FOUND: Final = Path(".fuzz")
REGRESSIONS: Final = HERE / "regressions"
INSTRUMENTED: Final = ("monitor.events", "monitor.core", "monitor.protocol")
MAX_LEN: Final = 8192  # bytes: a history of a dozen events
ONE_INPUT: Final = 10  # seconds; with the instruments on, ten times what it takes without
MEMORY: Final = 1024  # MiB
COVERED = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")
EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")


def main() -> int:
    """Fuzz each target for its share of the time; print a line for each. 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", help="run this one here, for the process that asks")
    asked, rest = parser.parse_known_args()
    if asked.target:
        return _fuzz(asked.target, rest)
    names = sorted(path.name for path in (HERE / "corpus").iterdir())
    findings = sum(_bounded(name, max(1, asked.seconds // len(names)), asked.seed) for name in names)
    return 1 if findings else 0


def _fuzz(name: str, arguments: list[str]) -> int:
    """Hand over to libFuzzer, which does not come back."""
    import atheris

    with atheris.instrument_imports(include=list(INSTRUMENTED)):
        from tests.fuzz.targets import TARGETS
    atheris.Setup([name, *arguments], TARGETS[name])
    atheris.Fuzz()
    return 0


def _bounded(name: str, seconds: int, seed: int) -> int:
    (FOUND / name).mkdir(parents=True, exist_ok=True)
    before = set(REGRESSIONS.glob(f"{name}-*"))
    with tempfile.NamedTemporaryFile("w", suffix=".dict") as words:
        words.write("".join(f'"{word}"\n' for word in _words()))
        words.flush()
        said = _run(
            name,
            [
                f"-max_total_time={seconds}", f"-seed={seed}", f"-dict={words.name}", f"-max_len={MAX_LEN}",
                f"-timeout={ONE_INPUT}", f"-rss_limit_mb={MEMORY}", "-print_final_stats=1",
                f"-artifact_prefix={REGRESSIONS}/{name}-", str(FOUND / name), str(HERE / "corpus" / name),
            ],
        )  # fmt: skip
    new = sorted(set(REGRESSIONS.glob(f"{name}-*")) - before)
    executed, covered = EXECUTED.findall(said), COVERED.findall(said)
    cov, features, corpus = covered[-1] if covered else ("?", "?", "?")
    counts = f"{executed[-1] if executed else '?'} executions, {cov} edges, {features} features, {corpus} inputs kept"
    print(f"{name}: {counts}, {len(new)} findings", flush=True)
    for path in new:
        print(f"  {path}\n{said[-2000:]}")
    if not executed:  # it did not come to its end: that is no clean result
        print(f"  it ended by itself: {said[-2000:]}")
        return 1
    return len(new)


def _run(name: str, arguments: list[str]) -> str:
    command = [sys.executable, "-m", "tests.fuzz.run", "--target", name, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    return f"{done.stdout}{done.stderr}\n(exit code {done.returncode})"


def _words() -> list[str]:
    """What a message may say: so that the fuzzer need not guess the names."""
    seeds = b"\n".join(path.read_bytes() for path in (HERE / "corpus").rglob("*") if path.is_file())
    return sorted({word.decode() for word in re.findall(rb"[A-Za-z_][\w.*/+-]{2,40}", seeds)})


if __name__ == "__main__":
    sys.exit(main())
