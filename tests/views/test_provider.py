"""Signing in through an identity provider that behaves, and through one that does not. Real keys, real HTTP."""

import pytest
from joserfc.jwk import OKPKey

from sop_server.domain.doers import OPERATOR
from sop_server.services.accounts.own_account import my_sessions
from sop_server.services.accounts.passwords import set_password
from sop_server.services.stores import Stores
from sop_server.storage import audit
from tests.identity_provider import IdentityProvider, new_ec_key
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import NOW, Cast, Through


def trail(stores: Stores, action: str) -> list[dict[str, object]]:
    with stores.database.read() as session:
        return [dict(event.details) for event in audit.events(session, action=action)]


def test_a_person_comes_in_and_goes_where_they_wanted(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores
) -> None:
    browser = Browser(through())
    assert "Sign in with Contoso" in words(browser.get("/login"))

    came = browser.go_through(wanted="/sops/?department=payments")

    assert came.status_code == 303
    assert came.location == "/sops/?department=payments"
    assert "Rita Lopez" in browser.get("/me").text
    cookies = came.headers.getlist("Set-Cookie")
    (session,) = [one for one in cookies if one.startswith("sop_session=")]
    assert "HttpOnly" in session
    assert "SameSite=Lax" in session
    token = browser.cookie()
    assert token is not None
    (mine,) = my_sessions(stores, actor=cast.reader, now=NOW, token=token)
    assert mine.here
    assert trail(stores, "session.opened") == [{"through": there.url, "second_factor": "none"}]
    assert trail(stores, "provider.linked") == [{"through": there.url}]


def test_the_way_there_proves_the_browser_and_asks_for_a_code(through: Through, there: IdentityProvider) -> None:
    address = Browser(through()).get("/login/provider").location

    assert address is not None
    assert address.startswith(f"{there.url}/authorize?response_type=code&client_id=sop-server")
    assert "code_challenge_method=S256" in address
    assert "code_challenge=" in address
    assert "state=" in address
    assert "nonce=" in address
    assert "scope=openid+profile+email" in address


@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519", "PS256", "RS512"])
def test_keys_of_every_asymmetric_kind_are_read(
    through: Through, there: IdentityProvider, cast: Cast, algorithm: str
) -> None:
    there.algorithm = algorithm
    if algorithm == "ES256":
        there.rotate(new_ec_key())
    elif algorithm == "Ed25519":
        there.rotate(OKPKey.generate_key("Ed25519", {"kid": "ed"}))

    assert Browser(through()).go_through().status_code == 303


@pytest.mark.parametrize(
    ("twist", "why"),
    [
        ({"nonce": "that of another sign-in"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"aud": "another-client"}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": ["sop-server", "another-client"]}, "aud"),
        ({"aud": ["sop-server", "another-client"], "azp": "another-client"}, "aud"),
        ({"azp": "another-client"}, "azp"),
        ({"iss": "https://login.evil.example"}, "iss"),
        ({"iss": None}, "iss"),
        ({"exp": 1_700_000_000}, "clock"),
        ({"exp": None}, "clock"),
        ({"exp": "never"}, "clock"),
        ({"iat": None}, "clock"),
        ({"iat": 1_893_456_000}, "clock"),
        ({"iat": 1_700_000_000}, "clock"),
        ({"nbf": 1_893_456_000}, "nbf"),
        ({"sub": None}, "sub"),
        ({"at_hash": "of another token"}, "at_hash"),
    ],
)
@pytest.mark.usefixtures("cast")
def test_a_token_that_is_not_of_this_sign_in_lets_nobody_in(
    through: Through, there: IdentityProvider, stores: Stores, twist: dict[str, object], why: str
) -> None:
    there.twist = twist
    browser = Browser(through())

    refused = browser.go_through()

    assert refused.status_code == 401
    assert browser.cookie() is None
    assert trail(stores, "provider.refused") == [{"why": why, "through": there.url}]
    assert trail(stores, "provider.linked") == []
    assert 'name="password"' in refused.text, "the sign-in of this server is still there"


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_that_anybody_could_have_signed_lets_nobody_in(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores, algorithm: str
) -> None:
    there.algorithm = algorithm
    browser = Browser(through())

    assert browser.go_through().status_code == 401
    assert browser.cookie() is None
    assert trail(stores, "provider.refused") == [{"why": "algorithm", "through": there.url}]


def test_a_token_that_is_signed_with_a_key_of_somebody_else_lets_nobody_in(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores
) -> None:
    published = there.published
    there.rotate()
    there.key = type(there.key).import_key({**there.key.as_dict(private=True), "kid": published[0].kid})
    there.published = published

    assert Browser(through()).go_through().status_code == 401
    assert trail(stores, "provider.refused") == [{"why": "signature", "through": there.url}]


def test_a_key_that_was_changed_is_read_anew_and_the_others_are_not_asked_for_again(
    through: Through, there: IdentityProvider, cast: Cast
) -> None:
    app = through()
    assert Browser(app).go_through().status_code == 303
    assert Browser(app).go_through().status_code == 303
    assert there.asked.count("/keys") == 1
    assert there.asked.count("/.well-known/openid-configuration") == 1

    there.rotate()

    assert Browser(app).go_through().status_code == 303
    assert there.asked.count("/keys") == 2


def test_a_key_that_is_published_nowhere_lets_nobody_in(through: Through, there: IdentityProvider, cast: Cast) -> None:
    published = there.published
    there.rotate()
    there.published = published

    assert Browser(through()).go_through().status_code == 401
    assert there.asked.count("/keys") == 2, "it is asked for once more, and not for ever"


def test_a_code_that_was_used_lets_nobody_in_again(through: Through, there: IdentityProvider, cast: Cast) -> None:
    app = through()
    browser = Browser(app)
    way_back = browser.begin()
    assert browser.come_back(way_back).status_code == 303

    again = browser.come_back(way_back)

    assert again.status_code == 400
    assert "was finished already" in words(again)
    second = browser.begin()
    there.codes.clear()
    used = browser.come_back(second)
    assert used.status_code == 401
    assert "did not confirm the sign-in" in words(used)


def test_what_was_begun_in_another_browser_lets_nobody_in(
    through: Through, there: IdentityProvider, cast: Cast
) -> None:
    app = through()
    way_back = Browser(app).begin()
    victim = Browser(app)
    victim.begin()

    refused = victim.come_back(way_back)

    assert refused.status_code == 400
    assert "begun in another browser" in words(refused)
    assert victim.cookie() is None


def test_a_sign_in_ends_after_ten_minutes(through: Through, there: IdentityProvider, cast: Cast, clock: Clock) -> None:
    browser = Browser(through())
    way_back = browser.begin()
    clock.now = NOW.replace(minute=10)

    assert browser.come_back(way_back).status_code == 400


def test_two_windows_of_one_browser_both_come_in(through: Through, there: IdentityProvider, cast: Cast) -> None:
    browser = Browser(through())
    first, second = browser.begin(wanted="/me"), browser.begin(wanted="/sops/")

    assert browser.come_back(first).location == "/me"
    assert browser.come_back(second).location == "/sops/"


@pytest.mark.parametrize(
    "answer", [{"iss": "https://login.evil.example"}, {"iss": ""}], ids=["another issuer", "no issuer"]
)
def test_an_answer_of_another_issuer_lets_nobody_in(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores, answer: dict[str, str]
) -> None:
    there.answer = answer

    assert Browser(through()).go_through().status_code == 401
    assert trail(stores, "provider.refused") == [{"why": "iss", "through": there.url}]
    assert "/token" not in there.asked, "the code goes to nobody"


def test_a_provider_that_names_no_issuer_in_its_answer_is_believed_where_it_never_said_that_it_would(
    through: Through, there: IdentityProvider, cast: Cast
) -> None:
    there.metadata = {"authorization_response_iss_parameter_supported": None}
    there.answer = {"iss": ""}

    assert Browser(through()).go_through().status_code == 303


def test_whoever_turns_back_at_the_provider_is_told(through: Through, there: IdentityProvider, cast: Cast) -> None:
    there.answer = {"code": "", "error": "access_denied", "error_description": "<b>Buy now</b>"}

    refused = Browser(through()).go_through()

    assert refused.status_code == 401
    assert "Contoso did not let you in, or you turned back" in words(refused)
    assert "Buy now" not in refused.text


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_the_way_back_leads_to_this_server_alone(
    through: Through, there: IdentityProvider, cast: Cast, elsewhere: str
) -> None:
    assert Browser(through()).go_through(wanted=elsewhere).location == "/"


def test_the_session_of_before_is_ended(through: Through, there: IdentityProvider, cast: Cast, stores: Stores) -> None:
    browser = Browser(through()).sign_in(cast.editor)
    before = browser.cookie()

    browser.go_through()

    assert browser.cookie() not in {None, before}
    assert len(trail(stores, "session.ended")) == 1


def test_where_there_is_no_provider_nothing_leads_to_one(stranger: Browser) -> None:
    assert stranger.get("/login/provider?next=/me").location == "/login?next=/me"
    assert stranger.get("/login/provider/callback?state=x&code=y").status_code == 400
    assert "Sign in with" not in words(stranger.get("/login"))


def test_many_codes_that_prove_nothing_are_refused_at_last(
    through: Through, there: IdentityProvider, cast: Cast
) -> None:
    app = through()
    there.twist = {"nonce": "wrong"}
    statuses = [Browser(app).go_through().status_code for _ in range(11)]

    assert statuses == [401] * 10 + [429]


def test_the_password_here_still_lets_in(through: Through, there: IdentityProvider, cast: Cast, stores: Stores) -> None:
    set_password(stores, actor=OPERATOR, now=NOW, email=cast.reader.email, password="four words of mine")
    browser = Browser(through())
    assert browser.go_through().status_code == 303

    came = Browser(through()).post("/login", email=cast.reader.email, password="four words of mine")

    assert came.status_code == 303


def test_over_tls_the_cookies_are_bound_to_this_host(through: Through, there: IdentityProvider) -> None:
    sent = through().test_client().get("/login/provider", base_url="https://localhost")

    (cookie,) = [one for one in sent.headers.getlist("Set-Cookie") if "sop_provider" in one]
    assert cookie.startswith("__Host-sop_provider=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=600"} <= set(cookie.split("; "))
    assert "verifier" not in cookie
