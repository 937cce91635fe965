from pathlib import Path

import pytest

from monitor.errors import UsageError
from monitor.notify.routing import Routing, load_routing

EXAMPLE = Path(__file__).parents[2] / "deploy" / "routing.example.yaml"
SECRETS = {
    "SMTP_USER": "monitor",
    "SMTP_PASSWORD": "p@ss/word",
    "NTFY_TOKEN": "tk-1",
    "OPERATORS_URL": "json://127.0.0.1/ops?+X-Key=k",
}
GOOD = """
format: 1
recipients:
  officer: {url: "json://127.0.0.1/officer"}
priorities:
  high: {recipients: [officer]}
  medium: {recipients: [officer]}
  low: {}
"""


def read(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> Routing:
    file = tmp_path / "routing.yaml"
    file.write_text(text, encoding="utf-8")
    return load_routing(file, environ or {})


def test_the_example_file_is_as_it_should_be() -> None:
    routing = load_routing(EXAMPLE, SECRETS)
    assert routing.route("high").recipients == ("safety-officer", "on-call-phone")
    assert routing.study_number is False
    assert routing.channels == ("mail", "on-call-phone", "operators")
    assert routing.everyone == ("safety-officer", "on-call-phone", "principal-investigator", "operators")


def test_secrets_are_quoted_into_a_url_and_taken_whole_where_they_are_all_of_it() -> None:
    routing = load_routing(EXAMPLE, SECRETS)
    assert "monitor:p%40ss%2Fword@mail" in routing.recipients["safety-officer"].url.get_secret_value()
    assert routing.recipients["operators"].url.get_secret_value() == SECRETS["OPERATORS_URL"]


def test_secrets_may_lie_in_files(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-a-file\n", encoding="utf-8")
    text = GOOD.replace("json://127.0.0.1/officer", "ntfys://${TOKEN}@ntfy.example.org/topic")
    routing = read(tmp_path, text, {"TOKEN_FILE": str(tmp_path / "token")})
    assert routing.recipients["officer"].url.get_secret_value() == "ntfys://from-a-file@ntfy.example.org/topic"


@pytest.mark.parametrize("variable", ["SAFETY_MONITOR_SECRETS_DIR", "CREDENTIALS_DIRECTORY"])
def test_secrets_may_lie_where_those_of_the_settings_lie(tmp_path: Path, variable: str) -> None:
    (tmp_path / "token").write_text("from-a-folder\n", encoding="utf-8")
    text = GOOD.replace("json://127.0.0.1/officer", "ntfys://${TOKEN}@ntfy.example.org/topic")
    routing = read(tmp_path, text, {variable: str(tmp_path)})
    assert routing.recipients["officer"].url.get_secret_value() == "ntfys://from-a-folder@ntfy.example.org/topic"


def test_no_secret_shows_when_a_routing_is_printed() -> None:
    shown = repr(load_routing(EXAMPLE, SECRETS)) + load_routing(EXAMPLE, SECRETS).model_dump_json()
    assert not any(secret in shown for secret in ("p@ss", "p%40ss", "tk-1", "X-Key"))


@pytest.mark.parametrize(
    ("change", "to", "says"),
    [
        ("format: 1", "format: 1\nformat: 1", "the key 'format' is there twice"),
        ("format: 1", "format: 2", "format: Input should be 1"),
        ("format: 1", "format: 1\npriority: {}", "priority: Extra inputs are not permitted"),
        ("low: {}", "low: {recipient: [officer]}", "priorities.low.recipient: Extra inputs"),
        ("low: {}", "low: {recipients: [nobody]}", "no such recipient: nobody"),
        ("low: {}", "low: {recipients: [officer, officer]}", "a recipient is named twice"),
        ("low: {}", "low: {fallback: [officer]}", "a fallback without recipients"),
        ("high: {recipients: [officer]}", "high: {}", "priorities.high names no recipient"),
        ("  low: {}\n", "", "priorities.low: Field required"),
        ("/officer", "/officer?optional=yes", "?optional= is refused: it hides failures"),
        ("/officer", "/officer?Retry=3", "?retry= is refused: the outbox retries"),
        ("json://127.0.0.1", "json://u:hunter2@127.0.0.1", "a password in clear"),
        ("json://127.0.0.1", "json://${TOKEN}@127.0.0.1", "neither TOKEN nor TOKEN_FILE is set"),
        ("json://127.0.0.1/officer", "officer-hunter2", "must be an Apprise URL"),
        ("officer: {", "Dr Wang: {", "String should match pattern"),
        ('officer"}', 'officer", channel: alert-topic}', "alert-topic is a channel of the monitor itself"),
        ("priorities:", "  spare: {url: 'json://127.0.0.1/hunter2'}\npriorities:", "in no route: spare"),
        ("{url:", "{url", "recipients.officer.(a key): Extra inputs"),
        ('officer"}', 'officer"', "routing.yaml, line 5"),
    ],
)
def test_every_doubt_about_the_file_is_an_error_of_one_line_without_a_secret(
    tmp_path: Path, change: str, to: str, says: str
) -> None:
    assert change in GOOD
    with pytest.raises(UsageError) as error:
        read(tmp_path, GOOD.replace(change, to, 1))
    assert says in str(error.value)
    assert "\n" not in str(error.value)
    assert "hunter2" not in str(error.value)
    assert "127.0.0.1" not in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"routing file .*missing\.yaml: No such file"):
        load_routing(tmp_path / "missing.yaml", {})


def test_an_unknown_priority_goes_the_way_of_high(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD).route("urgent").recipients == ("officer",)
