import pytest

from monitor.notify.diagnosis import diagnose
from monitor.notify.ports import SendOutcome

FAILED, TIMEOUT = SendOutcome.FAILED, SendOutcome.TIMEOUT


@pytest.mark.parametrize(
    ("log", "outcome", "retryable", "detail"),
    [
        ("Failed to send: Unauthorized, error=401.", FAILED, False, "HTTP 401"),
        ("Failed to send: error=429.", FAILED, True, "HTTP 429"),
        ("Failed to send: error=500.", FAILED, True, "HTTP 500"),
        ("Failed to send: error=504.", TIMEOUT, True, "HTTP 504"),
        ("{'a@b.org': (550, b'no such mailbox')}", FAILED, False, "refused by the mail server (550)"),
        ("SMTP recipient a@b.org was refused: 451 b'later'", FAILED, True, "refused by the mail server (451)"),
        ("ConnectTimeoutError(..., connect timeout=0.3)", FAILED, True, "could not connect in time"),
        ("Read timed out. (read timeout=0.5)", TIMEOUT, True, "no answer in time"),
        ("Socket Exception: timed out", TIMEOUT, True, "no answer in time"),
        ("('Connection aborted.', RemoteDisconnected(''))", TIMEOUT, True, "connection lost"),
        ("Connection unexpectedly closed", TIMEOUT, True, "connection lost"),
        ("[Errno 111] Connection refused", FAILED, True, "connection refused"),
        ("[Errno -2] Name or service not known", FAILED, True, "host name not found"),
        ("SSLError(SSLCertVerificationError)", FAILED, True, "TLS failed"),
        ("", FAILED, True, "refused, no reason given"),
    ],
)
def test_a_failure_is_put_into_a_closed_set_of_words(
    log: str, outcome: SendOutcome, retryable: bool, detail: str
) -> None:
    found = diagnose(log)
    assert (found.outcome, found.retryable, found.detail) == (outcome, retryable, detail)


def test_only_what_may_have_arrived_is_ambiguous() -> None:
    refused_at_once = "Max retries exceeded (Caused by NewConnectionError(Connection refused)) after timed out"
    assert diagnose(refused_at_once).outcome is FAILED
