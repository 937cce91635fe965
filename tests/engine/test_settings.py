"""Settings come from the environment over secret files over a settings file, and never show a secret."""

from pathlib import Path

import pytest

from monitor.broker import tls_context
from monitor.errors import UsageError
from monitor.settings import Settings, load_settings


def test_the_environment_goes_before_secret_files_and_the_settings_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "monitor.yaml"
    file.write_text("http_port: 1111\ninstance: from-file\ndatabase_url: sqlite:///of-the-file.db\n")
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "safety_monitor_database_url").write_text("postgresql://u:secret@h/d")
    monkeypatch.setenv("SAFETY_MONITOR_SETTINGS", str(file))
    monkeypatch.setenv("SAFETY_MONITOR_SECRETS_DIR", str(secrets))
    monkeypatch.setenv("SAFETY_MONITOR_HTTP_PORT", "2222")
    settings = load_settings()
    assert (settings.http_port, settings.instance) == (2222, "from-file")
    assert settings.database_url.get_secret_value() == "postgresql://u:secret@h/d"
    assert "secret@" not in repr(settings)


def test_systemd_s_credentials_are_found_without_being_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "safety_monitor_http_token").write_text("token-of-systemd\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    token = load_settings().http_token
    assert token is not None
    assert token.get_secret_value() == "token-of-systemd"


@pytest.mark.parametrize("variable", ["SAFETY_MONITOR_SECRETS_DIR", "CREDENTIALS_DIRECTORY"])
def test_a_folder_of_secrets_that_is_not_there_is_a_wrong_setting(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "absent"))
    with pytest.raises(UsageError, match=variable):
        load_settings()


def test_the_password_of_the_database_may_stand_outside_its_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFETY_MONITOR_DATABASE_URL", "postgresql://worker@db:5433/monitor?sslmode=require")
    monkeypatch.setenv("SAFETY_MONITOR_DATABASE_PASSWORD", "p@ss/w:rd")
    settings = load_settings()
    assert settings.log_url == "postgresql://worker:p%40ss%2Fw%3Ard@db:5433/monitor?sslmode=require"
    assert "ss/w" not in repr(settings)


@pytest.mark.parametrize("url", ["sqlite:///x.db", "postgresql://db/monitor", "postgresql://worker:other@db/monitor"])
def test_a_password_without_its_place_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFETY_MONITOR_DATABASE_URL", url)
    monkeypatch.setenv("SAFETY_MONITOR_DATABASE_PASSWORD", "s3cret")
    with pytest.raises(UsageError, match="database_password") as refused:
        load_settings()
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine_alone_needs_no_token(host: str) -> None:
    assert Settings(http_host=host).http_token is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "monitor.hospital.example", ""])
def test_others_than_this_machine_must_show_a_token(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFETY_MONITOR_HTTP_HOST", host)
    with pytest.raises(UsageError, match="http_token is needed"):
        load_settings()
    monkeypatch.setenv("SAFETY_MONITOR_HTTP_TOKEN", "too-short")
    with pytest.raises(UsageError, match="at least 16 characters"):
        load_settings()
    monkeypatch.setenv("SAFETY_MONITOR_HTTP_TOKEN", "just-long-enough")
    assert load_settings().http_host == host


def test_a_key_that_is_unknown_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "monitor.toml"
    file.write_text('databse_url = "sqlite:///x.db"\n')
    monkeypatch.setenv("SAFETY_MONITOR_SETTINGS", str(file))
    with pytest.raises(UsageError, match="DATABSE_URL"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://u:secret@h/d"),
        ("BROKER_URL", "http://h:1"),
        ("BROKER_URL", "kafka://u:secret@h:1"),
        ("CLOCK", "sundial"),
        ("STUCK_AFTER", "1"),
    ],
)
def test_a_wrong_setting_is_named_and_not_shown(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"SAFETY_MONITOR_{name}", value)
    with pytest.raises(UsageError) as refused:
        load_settings()
    assert name.lower() in str(refused.value).lower()
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ({"BROKER_USERNAME": "u"}, "broker_password"),
        ({"BROKER_USERNAME": "u", "BROKER_PASSWORD": "secret", "BROKER_MECHANISM": "PLAIN"}, "broker_tls"),
        ({"BROKER_TLS_CERTIFICATE": "ours.pem"}, "broker_tls"),
        ({"BROKER_MECHANISM": "OAUTHBEARER", "BROKER_TLS": "true"}, "broker_token_file"),
        ({"BROKER_MECHANISM": "OAUTHBEARER", "BROKER_TOKEN_FILE": "token"}, "broker_tls"),
        ({"BROKER_TOKEN_FILE": "token", "BROKER_TLS": "true"}, "OAUTHBEARER"),
    ],
)
def test_credentials_that_do_not_fit_together_are_refused(
    names: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in names.items():
        monkeypatch.setenv(f"SAFETY_MONITOR_{name}", value)
    with pytest.raises(UsageError) as refused:
        load_settings()
    assert told in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_certificate_that_cannot_be_read_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for name in ("ca.pem", "absent.pem"):
        with pytest.raises(UsageError, match="broker_tls"):
            tls_context(Settings(broker_tls=True, broker_tls_ca=tmp_path / name))
