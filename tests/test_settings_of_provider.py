"""The settings of the identity provider: what is wrong with them is told before anybody signs in."""

from pathlib import Path

import pytest

from sop_server.domain.permissions import Grant, Role
from sop_server.domain.provider_rules import FactorRule, Given
from sop_server.errors import InvalidInputError
from sop_server.home import provider
from sop_server.settings import CONFIG_FILE, load_settings

NEEDED = {
    "SOP_OIDC_ISSUER": "https://login.example.com/realms/work",
    "SOP_OIDC_CLIENT_ID": "sops",
    "SOP_PUBLIC_URL": "https://sops.example.com/library/",
}


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)


def test_a_provider_is_made_from_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOP_OIDC_CLIENT_SECRET", "verysecret")
    monkeypatch.setenv("SOP_OIDC_MAP", '{"CN=Editors,OU=Sops": ["editor@payments", "team:tier2"], "boss": ["manager"]}')
    monkeypatch.setenv("SOP_OIDC_DOMAINS", "Example.com, example.org,")

    made = provider(load_settings())

    assert made is not None
    assert made.redirect_uri == "https://sops.example.com/library/login/provider/callback"
    assert made.rules.give(["CN=Editors,OU=Sops"]) == Given(
        frozenset({Grant(Role.EDITOR, "payments")}), frozenset({"tier2"})
    )
    assert made.rules.domains == {"example.com", "example.org"}
    assert made.rules.second_factor == FactorRule("amr")
    assert "verysecret" not in repr(made)


def test_the_map_may_be_a_table_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sop.toml").write_text('[oidc_map]\n"/sop/editors" = ["editor@payments"]\n')
    monkeypatch.setenv(CONFIG_FILE, str(tmp_path / "sop.toml"))

    assert load_settings().provider_rules.give(["/sop/editors"]).grants == {Grant(Role.EDITOR, "payments")}


def test_without_an_issuer_there_is_no_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOP_OIDC_ISSUER")

    assert provider(load_settings()) is None


@pytest.mark.parametrize("name", ["SOP_OIDC_CLIENT_ID", "SOP_PUBLIC_URL"])
def test_what_a_provider_needs_besides_is_told(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)

    with pytest.raises(InvalidInputError, match=f"SOP_OIDC_ISSUER needs {name}, too"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SOP_OIDC_ISSUER", "http://login.example.com", "must look like https://"),
        ("SOP_OIDC_ISSUER", "https://login.example.com?x=1", "must look like https://"),
        ("SOP_OIDC_ISSUER", "login.example.com", "must look like https://"),
        ("SOP_OIDC_MAP", "editors=editor@payments", "must be JSON such as"),
        ("SOP_OIDC_MAP", '["editor"]', "must be JSON such as"),
        ("SOP_OIDC_MAP", '{"a": "editor"}', "the group “a” must give a list"),
        ("SOP_OIDC_MAP", '{"a": []}', "the group “a” must give a list"),
        ("SOP_OIDC_MAP", '{"a": ["writer@payments"]}', "the group “a”: There is no role “writer”"),
        ("SOP_OIDC_MAP", '{"a": ["team:Tier 2"]}', "the group “a”: “Tier 2” cannot name a team"),
        ("SOP_OIDC_SECOND_FACTOR", "sometimes", "must be amr, always, never, or acr:"),
        ("SOP_OIDC_SECOND_FACTOR", "acr:", "must be amr, always, never, or acr:"),
        ("SOP_OIDC_SCOPES", "profile email", "must contain openid"),
        ("SOP_OIDC_NEW_PEOPLE", "add", "needs SOP_OIDC_DOMAINS and SOP_OIDC_MAP"),
        ("SOP_OIDC_NEW_PEOPLE", "yes", "refuse"),
        ("SOP_OIDC_PASSWORDS", "off", "replace"),
    ],
)
def test_a_setting_that_cannot_be_used_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(InvalidInputError, match=r"SOP_OIDC_") as caught:
        load_settings()
    assert told in caught.value.message
