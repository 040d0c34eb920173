import stat
from pathlib import Path

from tests.cli.conftest import ADMIN, Run


def test_init_makes_the_home_and_prints_a_link_that_signs_in_once(sop: Run, home: Path) -> None:
    made = sop("init", "--admin", ADMIN)
    assert made.exit_code == 0
    assert f"{ADMIN} is its administrator" in made.stdout
    assert "http://127.0.0.1:8000/sign-in/" in made.stdout
    assert {path.name for path in home.iterdir()} >= {"library.git", "sop.db", "index", "secret_key"}
    assert stat.S_IMODE((home / "secret_key").stat().st_mode) == 0o600
    assert sop("check").exit_code == 0


def test_init_without_a_terminal_asks_nothing(sop: Run) -> None:
    made = sop("init", stdin="")
    assert made.exit_code == 0
    assert "admin@localhost is its administrator" in made.stdout


def test_init_again_changes_nothing_and_gives_no_second_link(ready: Run, home: Path) -> None:
    secret = (home / "secret_key").read_bytes()
    before = ready("report", "drift", "--format", "csv").exit_code
    for arguments in (("init", "--admin", ADMIN), ("init",)):
        again = ready(*arguments)
        assert again.exit_code == before == 0
        assert "/sign-in/" not in again.stdout
    assert (home / "secret_key").read_bytes() == secret


def test_init_with_an_address_that_is_none_says_so_and_makes_no_administrator(sop: Run) -> None:
    refused = sop("init", "--admin", "not an address")
    assert refused.exit_code == 1
    assert "not an e-mail address" in refused.stderr
    assert "is its administrator" in sop("init", "--admin", ADMIN).stdout


def test_the_example_library_is_loaded_once(example: Run) -> None:
    again = example("init", "--example", "--admin", ADMIN)
    assert again.exit_code == 0
    assert "loaded before" in again.stdout
    assert example("check").exit_code == 0


def test_a_command_without_a_home_says_what_to_do(sop: Run) -> None:
    for arguments in (("check",), ("token", "create", ADMIN), ("report", "drift"), ("import", ".")):
        refused = sop(*arguments)
        assert refused.exit_code == 1
        assert "sop-server init" in refused.stderr
        assert refused.stdout == ""


def test_wrong_usage_ends_with_two(ready: Run) -> None:
    for arguments in (("nothing",), ("report", "weather"), ("user", "add"), ("import",), ("serve", "--port", "x")):
        assert ready(*arguments).exit_code == 2


def test_the_list_of_commands_names_every_one(sop: Run) -> None:
    told = sop("--help").stdout
    names = "init demo serve import tickets processes user token lint sync reindex check scan report backup restore"
    assert all(f"\n  {name} " in told for name in names.split())
