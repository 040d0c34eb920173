"""The home: made once, opened often, refused in words."""

import stat
from pathlib import Path

import pytest

from sop_server import home
from sop_server.errors import DamagedError, InvalidInputError
from sop_server.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_home_is_asked_to_be_made_first(settings: Settings) -> None:
    with pytest.raises(InvalidInputError, match="Run `sop-server init` first"):
        home.open_stores(settings)
    assert not settings.home.exists()


def test_home_is_private(settings: Settings) -> None:
    home.close_stores(home.create_home(settings))
    assert mode(settings.home) == mode(settings.index_path) == 0o700
    assert mode(settings.secret_key_path) == 0o600


def test_making_it_again_changes_nothing(settings: Settings) -> None:
    home.close_stores(home.create_home(settings))
    key = home.secret_key(settings)
    home.close_stores(home.create_home(settings))
    assert home.secret_key(settings) == key
    assert sorted(path.name for path in settings.home.iterdir() if path.name.startswith(".secret")) == []


def test_older_database_is_refused_with_what_to_do(settings: Settings) -> None:
    home.close_stores(home.create_home(settings))
    settings.database_path.unlink()
    settings.database_path.touch()
    with pytest.raises(InvalidInputError, match="does not have the shape"):
        home.open_stores(settings)


def test_home_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInputError, match="cannot be made"):
        home.create_home(load_settings(home=tmp_path / "file" / "home"))


def test_secret_of_the_settings_goes_before_the_file(settings: Settings) -> None:
    named = settings.with_changes(secret_key="from the settings, long enough")
    assert home.secret_key(named) == "from the settings, long enough"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_lost_secret_is_told(settings: Settings, content: bytes | None) -> None:
    settings.home.mkdir()
    if content is not None:
        settings.secret_key_path.write_bytes(content)
    with pytest.raises(DamagedError, match="sop-server init"):
        home.secret_key(settings)
