from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sop_server.home import close_stores, open_stores
from sop_server.services.accounts.sign_in import sign_in
from sop_server.services.accounts.tokens import actor_for_token
from sop_server.settings import load_settings
from sop_server.storage import people, provider_links, second_factors
from tests.cli.conftest import Run

PASSWORD = "correct horse"


def add(ready: Run, *more: str, stdin: str | None = None) -> str:
    added = ready("user", "add", "Asha@Example.com", "--name", "Asha Kulkarni", *more, stdin=stdin)
    assert added.exit_code == 0, added.output
    return added.stdout


def test_a_person_is_added_with_roles_and_teams(ready: Run) -> None:
    told = add(ready, "--role", "editor@payments", "--role", "reader", "--team", "payments-tier1")
    assert "Added Asha Kulkarni <asha@example.com>" in told
    assert "editor@payments, reader" in told
    assert "payments-tier1" in told
    assert "/sign-in/" in told


def test_adding_somebody_who_is_known_adds_what_is_new_and_says_so(ready: Run) -> None:
    add(ready, "--role", "reader")
    told = add(ready, "--role", "editor@payments")
    assert "was known already and now also has: editor@payments" in told
    assert "Roles: editor@payments, reader" in told
    again = ready("user", "add", "asha@example.com", "--role", "reader")
    assert again.exit_code == 0
    assert "with all roles and teams named" in again.stdout


def test_a_password_from_standard_input_signs_in(ready: Run, home: Path) -> None:
    add(ready, "--role", "reader", "--password-stdin", stdin=f"{PASSWORD}\n")
    stores = open_stores(load_settings(home=home))
    try:
        now = datetime.now(UTC)
        assert sign_in(stores, email="asha@example.com", password=PASSWORD, address="::1", now=now)
    finally:
        close_stores(stores)


def test_a_password_that_is_too_short_adds_nobody(ready: Run) -> None:
    refused = ready(
        "user", "add", "asha@example.com", "--name", "Asha", "--role", "reader", "--password-stdin", stdin="short\n"
    )
    assert refused.exit_code == 1
    assert ready("token", "create", "asha@example.com").exit_code == 1


def test_a_password_that_is_guessed_soon_adds_nobody(ready: Run) -> None:
    refused = ready(
        "user", "add", "asha@example.com", "--name", "Asha", "--role", "reader", "--password-stdin", stdin="password1\n"
    )
    assert refused.exit_code == 1
    assert "would be guessed soon" in refused.stderr
    assert ready("token", "create", "asha@example.com").exit_code == 1


def test_a_second_factor_is_reset_where_there_is_one(ready: Run, home: Path) -> None:
    add(ready, "--role", "admin")
    refused = ready("user", "reset-second-factor", "asha@example.com")
    assert refused.exit_code == 1
    assert "has no second factor" in refused.stderr
    stores = open_stores(load_settings(home=home))
    try:
        now = datetime.now(UTC)
        with stores.database.write() as session:
            person = people.person_by_email(session, "asha@example.com")
            assert person is not None
            second_factors.put_key(session, person.id, sealed_key="sealed", now=now)
    finally:
        close_stores(stores)

    reset = ready("user", "reset-second-factor", "asha@example.com")

    assert reset.exit_code == 0
    assert "is reset" in reset.stdout


def test_a_new_person_needs_a_name_and_a_role_that_there_is(ready: Run) -> None:
    nameless = ready("user", "add", "asha@example.com", "--role", "reader")
    assert nameless.exit_code == 1
    assert "--name" in nameless.stderr
    unknown = ready("user", "add", "asha@example.com", "--name", "Asha", "--role", "boss")
    assert unknown.exit_code == 1
    assert "reader, editor, approver, manager, admin" in unknown.stderr


def test_a_token_is_printed_alone_and_acts_as_its_person(ready: Run, home: Path) -> None:
    add(ready, "--role", "reader")
    made = ready("token", "create", "asha@example.com", "--scope", "read")
    token = made.stdout.strip()
    assert made.stdout == f"{token}\n"
    assert made.stderr == ""
    stores = open_stores(load_settings(home=home))
    try:
        actor = actor_for_token(stores, token=token, now=datetime.now(UTC))
    finally:
        close_stores(stores)
    assert actor is not None
    assert (actor.email, actor.scope) == ("asha@example.com", "read")


def test_a_token_for_nobody_is_refused_on_standard_error(ready: Run) -> None:
    refused = ready("token", "create", "nobody@example.com")
    assert refused.exit_code == 1
    assert refused.stdout == ""
    assert "Nobody is known as" in refused.stderr


def test_a_role_for_a_time_says_why_and_until_when(ready: Run) -> None:
    given = ("user", "add", "asha@example.com", "--name", "Asha", "--role", "approver@payments")
    silent = ready(*given, "--until", "2090-01-01")
    assert silent.exit_code == 1
    past = ready(*given, "--until", "2020-01-01", "--reason", "For a while")
    assert past.exit_code == 1
    assert "lies in the past" in past.stderr
    day = (datetime.now(UTC) + timedelta(days=3)).date()
    lent = ready(*given, "--until", day.isoformat(), "--reason", "Ben is away")
    assert lent.exit_code == 0
    assert f"approver@payments until {day + timedelta(days=1)}T00:00:00Z" in lent.stdout


def test_a_link_with_the_identity_provider_is_undone(
    ready: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    issuer = "https://login.example.com"
    told = f"SOP_OIDC_ISSUER={issuer}\nSOP_OIDC_CLIENT_ID=sops\nSOP_PUBLIC_URL=https://sops.example.com\n"
    (tmp_path / ".env").write_text(told)
    add(ready, "--role", "reader")
    refused = ready("user", "unlink", "asha@example.com")
    assert refused.exit_code == 1
    assert "is linked with no account" in refused.stderr
    stores = open_stores(load_settings(home=home))
    with stores.database.write() as session:
        asha = people.person_by_email(session, "asha@example.com")
        assert asha is not None
        provider_links.add_link(session, issuer=issuer, subject="a", person_id=asha.id, now=datetime.now(UTC))
    close_stores(stores)

    undone = ready("user", "unlink", "asha@example.com")

    assert undone.exit_code == 0, undone.output
    assert "The link of Asha Kulkarni is undone" in undone.stdout
