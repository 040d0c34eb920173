import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pydantic import SecretStr

from sop_server.app import create_app
from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.domain.policy import Policy
from sop_server.domain.provider_rules import ProviderRules, parse_groups
from sop_server.resources import resource
from sop_server.services.accounts.people import add_person
from sop_server.services.accounts.provider import Provider
from sop_server.services.drafts.approving import approve
from sop_server.services.drafts.drafting import DraftInput, create_draft, submit_draft
from sop_server.services.stores import Stores
from sop_server.settings import Settings
from sop_server.storage import people, schema
from sop_server.storage.database import Database, sqlite_url
from sop_server.storage.git.library import Library
from sop_server.storage.search.whoosh_engine import WhooshEngine
from tests.identity_provider import CLIENT, SECRET, IdentityProvider, identity_provider
from tests.views.browser import Browser, Clock
from tests.views.texts import sop_text

NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of today's shape; each test gets a copy, since making one anew takes longer than most tests."""
    path = tmp_path_factory.mktemp("database") / "sop.db"
    database = Database(sqlite_url(path), clock=lambda: NOW)
    schema.upgrade(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def stores(tmp_path: Path, empty_database: Path, clock: Clock) -> Iterator[Stores]:
    home = tmp_path / "home"
    (home / "index").mkdir(parents=True)
    shutil.copy(empty_database, home / "sop.db")
    database = Database(sqlite_url(home / "sop.db"), clock=clock)
    library = Library.create(home / "library.git", resource("hooks"))
    search = WhooshEngine(home / "index")
    yield Stores(home=home, database=database, library=library, search=search, policy=Policy(), clock=clock)
    search.close()
    library.close()
    database.close()


@pytest.fixture
def app(stores: Stores) -> Flask:
    settings = Settings(home=stores.home, secret_key=SecretStr("a secret for the tests alone"))
    return create_app(settings, stores=stores)


@pytest.fixture
def there(clock: Clock) -> Iterator[IdentityProvider]:
    """A provider on the loopback, where Rita is about to sign in."""
    with identity_provider(clock) as provider:
        provider.claims = {
            "sub": "rita-at-work",
            "email": "Rita@example.com",
            "email_verified": True,
            "name": "Rita Lopez",
            "groups": ["/sop/care"],
        }
        yield provider


Through = Callable[..., Flask]
"""Makes the application whose people come in through the provider, with these rules."""

GROUPS = parse_groups(
    {
        "/sop/care": ["editor@customer-care", "team:care-tier1"],
        "/sop/payments": ["approver@payments"],
        "/sop/admins": ["admin"],
    }
)


@pytest.fixture
def through(stores: Stores, there: IdentityProvider) -> Through:
    def app_of(**rules: Any) -> Flask:
        provider = Provider(
            issuer=there.url,
            client_id=CLIENT,
            client_secret=SECRET,
            scopes="openid profile email",
            rules=ProviderRules(**{"name": "Contoso", "groups": GROUPS, **rules}),
            redirect_uri="http://localhost/login/provider/callback",
            after_sign_out="http://localhost/login",
        )
        settings = Settings(home=stores.home, secret_key=SecretStr("a secret for the tests alone"))
        return create_app(settings, stores=replace(stores, provider=provider))

    return app_of


@dataclass(frozen=True)
class Cast:
    """Who plays in the tests: each named for a role, in customer care unless their name says otherwise."""

    reader: Actor
    editor: Actor
    approver: Actor
    manager: Actor
    admin: Actor
    payments_reader: Actor
    payments_editor: Actor
    payments_approver: Actor


@pytest.fixture
def cast(stores: Stores) -> Cast:
    def person(name: str, *roles: str, teams: tuple[str, ...] = ()) -> Actor:
        email = f"{name.split(maxsplit=1)[0].lower()}@example.com"
        added = add_person(stores, actor=OPERATOR, now=NOW, email=email, name=name, roles=roles, teams=teams)
        with stores.database.read() as session:
            actor = people.load_actor(session, added.person.id, NOW)
        assert actor is not None
        return actor

    return Cast(
        reader=person("Rita Lopez", "reader@customer-care", teams=("customer-care-tier2",)),
        editor=person("Asha Menon", "editor@customer-care"),
        approver=person("Ben Castro", "approver@customer-care"),
        manager=person("Mia Weber", "manager"),
        admin=person("Ada Novak", "admin"),
        payments_reader=person("Paul Reyes", "reader@payments", teams=("payments-tier1",)),
        payments_editor=person("Eva Singh", "editor@payments"),
        payments_approver=person("Piotr Zielinski", "approver@payments"),
    )


@pytest.fixture
def as_person(app: Flask) -> Callable[[Actor], Browser]:
    return lambda actor: Browser(app).sign_in(actor)


@pytest.fixture
def stranger(app: Flask) -> Browser:
    return Browser(app)


Publish = Callable[..., str]


@pytest.fixture
def publish(stores: Stores, cast: Cast, clock: Clock) -> Publish:
    """Bring a revision into force through the services; returns the SOP's id."""

    def published(
        content: str | None = None,
        *,
        sop_id: str | None = None,
        significance: str = "major",
        summary: str = "Written for the first time.",
        tickets: tuple[str, ...] = (),
        effective_from: datetime | None = None,
        kind: str = "edit",
        payments: bool = False,
    ) -> str:
        author = cast.payments_editor if payments else cast.editor
        approver = cast.payments_approver if payments else cast.approver
        given = DraftInput(
            content=content or sop_text(), change_summary=summary, significance=significance, tickets=tickets
        )
        draft = create_draft(stores, actor=author, given=given, now=clock.now, sop_id=sop_id, kind=kind)
        submit_draft(stores, actor=author, draft_id=draft.id, now=clock.now)
        approve(
            stores,
            actor=approver,
            draft_id=draft.id,
            content_hash=draft.content_hash,
            now=clock.now,
            effective_from=effective_from,
        )
        return draft.sop_id

    return published
