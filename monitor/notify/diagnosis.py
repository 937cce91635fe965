"""What Apprise's log says of a failed send, put into a closed set of words.

Apprise answers yes or no; why is in its log, with hosts, addresses and tokens in it. Nothing of that text leaves this
file: a receipt holds one of the words below, and a status code.
"""

import re
from dataclasses import dataclass

from monitor.notify.ports import SendOutcome


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a send failed. TIMEOUT where the notice may have arrived all the same."""

    outcome: SendOutcome
    retryable: bool
    detail: str


_HTTP_STATUS = re.compile(r"error=(\d{3})")
_SMTP_STATUS = re.compile(r"\((\d{3}), b?['\"]|was refused: (\d{3})")

# Asked to wait, or a busy gateway: a client error that passes.
_PASSING = frozenset({408, 421, 423, 425, 429})
# The gateway gave up waiting; the service behind it may have the notice.
_AMBIGUOUS = frozenset({408, 504})

# The first match wins. What fails before anything was sent comes first, for then nothing can have arrived.
_SIGNS: tuple[tuple[str, SendOutcome, str], ...] = (
    (r"Connection refused|Errno 111", SendOutcome.FAILED, "connection refused"),
    (
        r"NameResolutionError|getaddrinfo|Name or service not known|No address associated|Temporary failure in name",
        SendOutcome.FAILED,
        "host name not found",
    ),
    (r"ConnectTimeout|connect timeout", SendOutcome.FAILED, "could not connect in time"),
    (r"unreachable|No route to host", SendOutcome.FAILED, "host not reachable"),
    (r"CERTIFICATE_VERIFY_FAILED|SSLError|WRONG_VERSION_NUMBER", SendOutcome.FAILED, "TLS failed"),
    (r"[Tt]imed out", SendOutcome.TIMEOUT, "no answer in time"),
    (
        r"Connection aborted|RemoteDisconnected|Connection reset|Broken pipe|unexpectedly closed|IncompleteRead",
        SendOutcome.TIMEOUT,
        "connection lost",
    ),
)
_COMPILED = tuple((re.compile(pattern), outcome, detail) for pattern, outcome, detail in _SIGNS)


def diagnose(log: str) -> Diagnosis:
    """Judge the log of one failed attempt."""
    if http := _HTTP_STATUS.search(log):
        return _by_http_status(int(http.group(1)))
    if smtp := _SMTP_STATUS.search(log):
        code = int(smtp.group(1) or smtp.group(2))
        return Diagnosis(SendOutcome.FAILED, code < 500, f"refused by the mail server ({code})")
    for pattern, outcome, detail in _COMPILED:
        if pattern.search(log):
            return Diagnosis(outcome, True, detail)
    return Diagnosis(SendOutcome.FAILED, True, "refused, no reason given")


def _by_http_status(code: int) -> Diagnosis:
    outcome = SendOutcome.TIMEOUT if code in _AMBIGUOUS else SendOutcome.FAILED
    retryable = code >= 500 or code in _PASSING
    return Diagnosis(outcome, retryable, f"HTTP {code}")
