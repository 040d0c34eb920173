"""Second factors of people who come in through an identity provider: the provider's, and those set up here."""

from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.domain.policy import Policy
from sop_server.domain.provider_rules import FactorRule, parse_factor
from sop_server.services.accounts import second_factor
from sop_server.services.accounts.passwords import set_password
from sop_server.services.accounts.sealing import Seal
from sop_server.services.accounts.signing import Ways, ways_to_sign
from sop_server.services.stores import Stores
from sop_server.storage import audit
from tests.identity_provider import IdentityProvider
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import NOW, Cast, Through

DEMANDING = Policy(second_factor_for=frozenset({"editor"}))


def demanding(through: Through, rule: FactorRule) -> Browser:
    app = through(second_factor=rule)
    app.extensions["stores"] = replace(app.extensions["stores"], policy=DEMANDING)
    return Browser(app)


@pytest.mark.parametrize(
    ("rule", "claims", "enough"),
    [
        ("amr", {"amr": ["pwd", "mfa"]}, "yes"),
        ("amr", {"amr": ["pwd"]}, "no"),
        ("amr", {}, "no"),
        ("always", {}, "yes"),
        ("never", {"amr": ["mfa"]}, "no"),
        ("acr:2,3", {"acr": "2"}, "yes"),
        ("acr:2,3", {"acr": 3}, "yes"),
        ("acr:2,3", {"acr": "1", "amr": ["mfa"]}, "no"),
        ("acr:1", {"acr": True}, "no"),
    ],
)
@pytest.mark.usefixtures("cast")
def test_where_a_role_demands_a_second_factor_that_of_the_provider_counts_if_it_says_so(
    through: Through, there: IdentityProvider, rule: str, claims: dict[str, object], enough: str
) -> None:
    there.claims |= claims
    browser = demanding(through, parse_factor(rule))

    came = browser.go_through(wanted="/me")

    assert came.location == ("/me" if enough == "yes" else "/login/set-up?next=/me")
    assert browser.get("/me").status_code == (200 if enough == "yes" else 303)


def test_the_levels_that_count_are_asked_for(through: Through, there: IdentityProvider, cast: Cast) -> None:
    address = demanding(through, parse_factor("acr:2,3")).get("/login/provider").location

    assert "acr_values=2+3" in (address or "")


def test_a_second_factor_that_was_set_up_here_is_asked_for_whatever_the_provider_says(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores, clock: Clock
) -> None:
    there.claims["amr"] = ["mfa"]
    app = through(second_factor=parse_factor("always"))
    key = set_up(app.extensions["stores"], app.extensions["seal"], cast.reader)
    browser = Browser(app)

    came = browser.go_through(wanted="/me")

    assert came.location == "/login/code?next=/me"
    assert browser.get("/me").status_code == 303
    clock.now = NOW + timedelta(minutes=1)
    assert browser.post("/login/code", code=pyotp.TOTP(key).at(clock.now), next="/me").location == "/me"
    out = browser.post("/logout")
    assert f"{there.url}/leave?id_token_hint=" in out.text, "the session knows where it came from"
    with stores.database.read() as session:
        events = [(event.action, event.details) for event in audit.events(session, action="session.opened")]
    assert events == [("session.opened", {"second_factor": "phone", "through": there.url})]


def set_up(stores: Stores, seal: Seal, actor: Actor) -> str:
    second_factor.begin_proven(stores, seal, actor=actor, now=NOW)
    key = second_factor.waiting_key(stores, seal, actor=actor)
    assert key is not None
    code = pyotp.TOTP(key.text).at(NOW)
    second_factor.confirm(stores, seal, actor=actor, now=NOW, code=code, address="", session_token="")
    return key.text


def test_whoever_has_no_password_sets_a_second_factor_up_right_after_coming_in(
    through: Through, there: IdentityProvider, cast: Cast, clock: Clock
) -> None:
    app = through()
    browser = Browser(app)
    browser.go_through()
    clock.now = NOW + timedelta(minutes=11)
    assert browser.post("/me/second-factor/begin").status_code == 403, "an open browser is no proof"
    assert "Sign out, come in again with Contoso" in words(browser.get("/me/second-factor"))
    browser.go_through()
    assert 'name="password"' not in browser.get("/me/second-factor").text

    assert browser.post("/me/second-factor/begin").status_code == 303

    key = second_factor.waiting_key(app.extensions["stores"], app.extensions["seal"], actor=cast.reader)
    assert key is not None
    on = browser.post("/me/second-factor/confirm", code=pyotp.TOTP(key.text).at(clock.now))
    assert "Recovery codes" in words(on)
    assert ways_to_sign(app.extensions["stores"], actor=cast.reader, now=clock.now) == Ways(password=False, phone=True)


def test_a_password_that_the_provider_replaced_signs_nothing(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores
) -> None:
    set_password(stores, actor=OPERATOR, now=NOW, email=cast.reader.email, password="four words of mine")
    app = through(replaces_passwords=True)
    assert ways_to_sign(app.extensions["stores"], actor=cast.reader, now=NOW).password
    Browser(app).go_through()

    assert not ways_to_sign(app.extensions["stores"], actor=cast.reader, now=NOW).password


def test_a_session_that_a_password_opened_proves_nothing_by_being_new(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores
) -> None:
    browser = Browser(through()).sign_in(cast.reader)  # by a link, which leaves whoever has no password without one

    assert browser.post("/me/second-factor/begin").status_code == 403
