"""The entry point: one word, one module, imported only when the word is said.

A failure is one line on standard error and a non-zero exit code: 2 for unusable arguments or settings, 1 for what could
not be done, 70 for a mistake of the program's own, 130 after an interrupt.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Final, NoReturn

import typer

from monitor.cli.commands import application
from monitor.errors import MonitorError, UsageError

PROGRAM: Final = "safety-monitor"
DEBUG: Final = "SAFETY_MONITOR_DEBUG"  # set it to see the traceback behind a one-line failure
REFUSED: Final = 2
FAILED: Final = 1
INTERNAL: Final = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED: Final = 130


def run() -> NoReturn:
    """Run the command that the process was started with, and end the process with its exit code."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code. Raises nothing: whatever fails is said in one line."""
    try:
        code = application(arguments)(args=list(arguments), prog_name=PROGRAM, standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        return _complain(error.format_message(), error.exit_code)
    except UsageError as error:
        return _complain(str(error), REFUSED)
    except (KeyboardInterrupt, typer.Abort):
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains at its exit
        return FAILED
    except (MonitorError, OSError) as error:
        return _complain(str(error), FAILED)
    except Exception as error:  # the last door: whatever else came is a mistake of ours, and still one line
        return _complain(f"internal error: {type(error).__name__}: {error} (set {DEBUG}=1 for the traceback)", INTERNAL)
    if code == INTERRUPTED:  # the library turns an interrupt into an exit code
        return _complain("interrupted", INTERRUPTED)
    return code if isinstance(code, int) else 0


def _complain(message: str, code: int) -> int:
    if os.environ.get(DEBUG):
        traceback.print_exc()
    print(f"{PROGRAM}: {' '.join(message.split()) or 'failed'}", file=sys.stderr)
    return code
