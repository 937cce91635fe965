"""What the review of locked releases says of one with a known weakness."""

import json
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.project import review, weaknesses
from tests.project.weaknesses import NotServed, known

TODAY = date(2026, 11, 26)
TOLD = {
    "/pypi/sound/1.0/json": [],
    "/pypi/weak/2.3/json": [
        {"id": "PYSEC-2026-1", "fixed_in": ["2.4"], "withdrawn": None},
        {"id": "PYSEC-2026-2", "fixed_in": ["2.4"], "withdrawn": "2026-10-01T00:00:00Z"},
    ],
    "/pypi/hopeless/0.1/json": [{"id": "GHSA-xxxx", "fixed_in": []}],
}


class Index(BaseHTTPRequestHandler):
    """Answers as PyPI's JSON API does."""

    def do_GET(self) -> None:
        told = TOLD.get(self.path)
        self.send_response(200 if told is not None else 404)
        self.end_headers()
        if told is not None:
            self.wfile.write(json.dumps({"info": {}, "vulnerabilities": told}).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def index() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_weakness_is_told_with_what_to_do_and_one_that_was_withdrawn_is_not(index: str) -> None:
    found = known([("sound", "1.0"), ("weak", "2.3"), ("hopeless", "0.1")], index, {}, TODAY)
    assert [str(weak) for weak in found] == [
        "weak 2.3: PYSEC-2026-1; lock 2.4",
        "hopeless 0.1: GHSA-xxxx; no release is without it: see whether it reaches us",
    ]


def test_what_was_looked_into_is_left_out_until_its_day_is_over(index: str) -> None:
    until = {"PYSEC-2026-1": TODAY}
    assert known([("weak", "2.3")], index, until, TODAY) == []
    assert len(known([("weak", "2.3")], index, until, date(2026, 11, 27))) == 1


def test_an_index_that_does_not_tell_is_no_index_without_weaknesses(index: str) -> None:
    for where in (index, "http://127.0.0.1:9"):
        with pytest.raises(NotServed, match="does not tell"):
            known([("unheard-of", "1.0")], where, {}, TODAY)


@pytest.mark.parametrize(
    ("name", "version", "status", "said"),
    [
        ("sound", "1.0", 0, "known weaknesses: none in 1 releases"),
        ("weak", "2.3", 1, "weak 2.3: PYSEC-2026-1; lock 2.4"),
        ("unheard-of", "1.0", 0, "NOT LOOKED UP"),
    ],
)
def test_the_review_fails_by_a_weakness_and_says_when_it_could_not_look(
    index: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    version: str,
    status: int,
    said: str,
) -> None:
    monkeypatch.setattr(review, "_resolved", lambda _lock: [{"metadata": {"name": name, "version": version}}])
    monkeypatch.setattr(review, "known", lambda releases: weaknesses.known(releases, index, {}, TODAY))
    assert review.main() == status
    assert said in capsys.readouterr().out
