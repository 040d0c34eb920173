"""The settings: where they come from, and how a bad one is told."""

from datetime import timedelta
from pathlib import Path

import pytest

from sop_server.errors import InvalidInputError
from sop_server.home import mailer
from sop_server.settings import CONFIG_FILE, load_settings


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without `.env`, and no variable from outside."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "DATABASE_URL", "SECRET_KEY", "WINDOW_HOURS", "TIMEZONE", "PORT", "WORKERS", "CONFIG"):
        monkeypatch.delenv(f"SOP_{name}", raising=False)
    return tmp_path


def test_everything_has_a_default() -> None:
    settings = load_settings()
    assert settings.window_hours == 48
    assert settings.timezone == "UTC"
    assert (settings.workers, settings.threads) == (2, 4)
    assert settings.resolved_database_url.endswith("/sop.db")


def test_variable_goes_before_env_file_before_toml(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (nowhere / "sop.toml").write_text("port = 1001\nworkers = 3\nthreads = 5\n")
    (nowhere / ".env").write_text("SOP_PORT=1002\nSOP_WORKERS=4\n")
    monkeypatch.setenv(CONFIG_FILE, str(nowhere / "sop.toml"))
    monkeypatch.setenv("SOP_PORT", "1003")
    settings = load_settings()
    assert (settings.port, settings.workers, settings.threads) == (1003, 4, 5)


def test_command_line_goes_before_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOP_PORT", "1003")
    assert load_settings(port=1004, host=None).port == 1004


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SOP_WINDOW_HOURS", "-1"),
        ("SOP_WINDOW_HOURS", "nan"),
        ("SOP_WINDOW_HOURS", "two days"),
        ("SOP_TIMEZONE", "Mars/Olympus"),
        ("SOP_TIMEZONE", "../etc/passwd"),
        ("SOP_SESSION_IDLE_MINUTES", "4"),
        ("SOP_SESSION_HOURS", "0"),
        ("SOP_SECOND_FACTOR", "admin,wizard"),
        ("SOP_SECOND_FACTOR", "none"),
        ("SOP_SMTP_URL", "mail.example.com"),
        ("SOP_SMTP_URL", "smtp://mail.example.com:70000"),
        ("SOP_PUBLIC_URL", "sops.example.com"),
        ("SOP_MAIL_FROM", "nobody"),
        ("SOP_PORT", "70000"),
        ("SOP_WORKERS", "0"),
        ("SOP_SECRET_KEY", "short"),
        ("SOP_DATABASE_URL", "mysql://somewhere"),
        ("SOP_SEARCH", "magic"),
    ],
)
def test_bad_value_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidInputError) as caught:
        load_settings()
    assert list(caught.value.fields) == [name]
    assert name in caught.value.message


def test_secret_is_never_shown_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOP_SECRET_KEY", "tooshort")
    with pytest.raises(InvalidInputError) as caught:
        load_settings()
    assert "tooshort" not in caught.value.message


def test_missing_toml_file_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONFIG_FILE, "/nowhere/sop.toml")
    with pytest.raises(InvalidInputError, match=r"/nowhere/sop\.toml"):
        load_settings()


def test_broken_toml_file_is_told(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (nowhere / "sop.toml").write_text("port = = 1\n")
    monkeypatch.setenv(CONFIG_FILE, str(nowhere / "sop.toml"))
    with pytest.raises(InvalidInputError, match="cannot be read"):
        load_settings()


def test_sessions_last_as_long_as_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().policy.session_idle == timedelta(hours=12)
    assert load_settings().policy.session_longest == timedelta(days=7)
    monkeypatch.setenv("SOP_SESSION_IDLE_MINUTES", "30")
    monkeypatch.setenv("SOP_SESSION_HOURS", "10")
    assert load_settings().policy.session_idle == timedelta(minutes=30)
    assert load_settings().policy.session_longest == timedelta(hours=10)


def test_mail_needs_the_address_that_its_links_begin_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOP_SMTP_URL", "smtp://user:verysecret@mail.example.com:587")
    with pytest.raises(InvalidInputError, match="SOP_PUBLIC_URL: must be set where SOP_SMTP_URL is") as caught:
        load_settings()
    assert "verysecret" not in caught.value.message
    monkeypatch.setenv("SOP_PUBLIC_URL", "https://sops.example.com/library")
    assert load_settings().mail_sender == "sop-server@sops.example.com"
    assert "verysecret" not in repr(mailer(load_settings()))
    monkeypatch.setenv("SOP_MAIL_FROM", "Procedures@example.com")
    assert load_settings().mail_sender == "procedures@example.com"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1


def test_postgresql_gets_its_driver() -> None:
    settings = load_settings(database_url="postgresql://sop@db/sop")
    assert settings.resolved_database_url == "postgresql+psycopg://sop@db/sop"


def test_changes_are_checked_again() -> None:
    assert load_settings().with_changes(port=9000, workers=None).port == 9000
    with pytest.raises(InvalidInputError):
        load_settings().with_changes(port=-1)
