"""The installation's settings: environment variables, `.env` and an optional TOML file, read once."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from sop_server.domain.people import clean_email
from sop_server.domain.permissions import Role
from sop_server.domain.policy import EVERYBODY, Policy
from sop_server.domain.provider_rules import ProviderRules, parse_factor, parse_groups
from sop_server.domain.proxy_door import ProxyDoor, parse_header, parse_networks
from sop_server.domain.recertification import SCHEDULES
from sop_server.domain.web_addresses import is_guarded
from sop_server.errors import InvalidInputError
from sop_server.storage.database import sqlite_url

PREFIX = "SOP_"
CONFIG_FILE = "SOP_CONFIG"

_SHORTEST_SECRET = 16
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")

Given = TypeVar("Given")


class Settings(BaseSettings):
    """What an installation decides. The first that names a setting wins: variable, `.env`, TOML file, default."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, validate_default=True
    )

    home: Path = Path("~/.local/share/sop-server")
    """The folder that holds library, database, search index and secret key."""
    database_url: str | None = None
    """SQLAlchemy's URL of the database; SQLite in the home where absent."""
    search: Literal["whoosh"] = "whoosh"
    """The search engine."""
    secret_key: SecretStr | None = None
    """What signs cookies and forms; the file `secret_key` of the home where absent."""
    window_hours: float = Field(default=48.0, gt=0, le=8760)
    """Elapsed hours from go-live within which a new obligation must be met."""
    timezone: str = "UTC"
    """The zone in which people read times that their browser does not tell; everything is stored in UTC."""
    library_name: str = Field(default="SOP library", min_length=1, max_length=80)
    """What stands in the bar of every page."""
    session_idle_minutes: int = Field(default=720, ge=5, le=525_600)
    """After so many minutes without a page a browser has to sign in again."""
    session_hours: int = Field(default=168, ge=1, le=8760)
    """After so many hours a browser has to sign in again, however busy it is."""
    second_factor: str = "optional"
    """Who needs a second factor to sign in: `optional` (nobody), `everybody`, or roles between commas."""
    smtp_url: SecretStr | None = None
    """The mail server, `smtp://[user:password@]host[:port]` or `smtps://…`; no mail is sent where absent."""
    public_url: str | None = None
    """What links in mails begin with: the address under which people reach this server."""
    hosts: str | None = None
    """The names under which the server is reached, between commas; that of the public address where absent."""
    mail_from: str | None = None
    """Who mails come from; `sop-server@` the host of the public address where absent."""
    oidc_issuer: str | None = None
    """The identity provider that people come in through, by its issuer; none where absent."""
    oidc_client_id: str | None = None
    """What the provider calls this server."""
    oidc_client_secret: SecretStr | None = None
    """What this server proves itself to the provider with; a public client where absent."""
    oidc_name: str = Field(default="your provider", min_length=1, max_length=60)
    """What people call the provider: “Sign in with …”."""
    oidc_scopes: str = "openid profile email"
    """What the provider is asked to tell."""
    oidc_groups_claim: str = Field(default="groups", min_length=1)
    """The claim that names somebody's groups."""
    oidc_map: Annotated[str | dict[str, Any], NoDecode] = "{}"
    """What groups give, as JSON (a table in TOML): `{"GROUP": ["editor@payments", "team:tier2"]}`."""
    oidc_domains: str = ""
    """The domains of the addresses that may be linked or added, between commas; all where empty."""
    oidc_trust_email: bool = False
    """Whether an address counts though the provider does not say that it verified it."""
    oidc_new_people: Literal["refuse", "add"] = "refuse"
    """Whether somebody unknown here comes to be, where their groups give a role."""
    oidc_second_factor: str = "amr"
    """When the provider's sign-in counts as one with a second factor: `amr`, `always`, `never` or `acr:LEVEL,…`."""
    oidc_passwords: Literal["keep", "replace"] = "keep"
    """Whether the password here of whoever is linked goes on working; that of administrators always does."""
    oidc_lapse_days: int = Field(default=30, ge=1, le=3650)
    """What groups gave ends where its person has not come in through the provider for so many days."""
    proxy_auth_header: str | None = None
    """The header in which a proxy names the person that it signed in, by e-mail address; none is believed if absent."""
    proxy_auth_from: str = ""
    """The addresses and networks, between commas, of the proxies whose header is believed."""
    recertification: str = "off"
    """How often every role has to be confirmed: off, monthly, quarterly or yearly."""
    recertification_days: int = Field(default=14, ge=1, le=60)
    """Days until what nobody confirmed ends."""
    keep_sign_ins_days: int = Field(default=30, ge=1, le=3650)
    """Days until sessions, sign-in links and orders of mails that are over are deleted."""
    keep_addresses_days: int = Field(default=90, ge=1, le=3650)
    """Days until the network address and browser of a session that goes on are forgotten."""
    host: str = Field(default="127.0.0.1", min_length=1)
    """The address to listen on."""
    port: int = Field(default=8000, ge=0, le=65535)
    """The port to listen on; 0 takes a free one."""
    workers: int = Field(default=2, ge=1, le=64)
    """Server processes."""
    threads: int = Field(default=4, ge=1, le=64)
    """Threads of each server process."""
    trusted_proxies: int = Field(default=0, ge=0, le=8)
    """How many reverse proxies in front are believed about the client's address, scheme and host."""

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
            raise ValueError("must be a time zone such as Europe/Warsaw or UTC") from exc
        return value

    @field_validator("second_factor")
    @classmethod
    def _known_roles(cls, value: str) -> str:
        roles = {role.value for role in Role}
        if value not in {"optional", EVERYBODY} and not set(_names(value)) <= roles:
            raise ValueError(f"must be optional, everybody, or some of {', '.join(sorted(roles))} between commas")
        return value

    @field_validator("recertification")
    @classmethod
    def _known_schedule(cls, value: str) -> str:
        if value not in SCHEDULES:
            raise ValueError(f"must be one of {', '.join(SCHEDULES)}")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _known_mail_server(cls, value: SecretStr | None) -> SecretStr | None:
        parts = urlsplit("smtp://none" if value is None else value.get_secret_value())
        # Reading the port raises ValueError for what is none.
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.port == 0:
            raise ValueError("must look like smtp://mail.example.com:587 or smtps://mail.example.com")
        return value

    @field_validator("public_url")
    @classmethod
    def _known_address(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("smtp_url") is not None:
            raise ValueError("must be set where SOP_SMTP_URL is: links in mails begin with it")
        parts = urlsplit(value or "https://none")
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must look like https://sops.example.com")
        return value

    @field_validator("mail_from")
    @classmethod
    def _known_sender(cls, value: str | None) -> str | None:
        try:
            return value and clean_email(value)
        except InvalidInputError as exc:
            raise ValueError("must be an e-mail address") from exc

    @field_validator("oidc_issuer")
    @classmethod
    def _known_issuer(cls, value: str | None) -> str | None:
        if value is not None and (not is_guarded(value) or urlsplit(value).query or urlsplit(value).fragment):
            raise ValueError("must look like https://login.example.com/realms/work, as the provider writes it")
        return value

    @field_validator("oidc_scopes")
    @classmethod
    def _known_scopes(cls, value: str) -> str:
        if "openid" not in value.split():
            raise ValueError("must contain openid")
        return value

    @field_validator("oidc_map")
    @classmethod
    def _known_groups(cls, value: str | dict[str, Any]) -> str | dict[str, Any]:
        return _read_by(parse_groups, value)

    @field_validator("oidc_second_factor")
    @classmethod
    def _known_factor(cls, value: str) -> str:
        return _read_by(parse_factor, value)

    @field_validator("proxy_auth_header")
    @classmethod
    def _known_header(cls, value: str | None) -> str | None:
        return value and _read_by(parse_header, value)

    @field_validator("proxy_auth_from")
    @classmethod
    def _known_proxies(cls, value: str, info: ValidationInfo) -> str:
        _read_by(lambda text: parse_networks(_listed(text)), value)
        if (info.data.get("proxy_auth_header") is None) == bool(_listed(value)) and "proxy_auth_header" in info.data:
            raise ValueError("must be set where SOP_PROXY_AUTH_HEADER is, and only there")
        return value

    @model_validator(mode="after")
    def _whole_provider(self) -> Self:
        if self.oidc_issuer is None:
            return self
        missing = [f"SOP_{name.upper()}" for name in ("oidc_client_id", "public_url") if getattr(self, name) is None]
        if missing:
            raise ValueError(f"SOP_OIDC_ISSUER needs {' and '.join(missing)}, too")
        if self.oidc_new_people == "add" and not (_listed(self.oidc_domains) and parse_groups(self.oidc_map)):
            raise ValueError(
                "SOP_OIDC_NEW_PEOPLE=add needs SOP_OIDC_DOMAINS and SOP_OIDC_MAP: who comes to be, and as what"
            )
        return self

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < _SHORTEST_SECRET:
            raise ValueError(f"must have at least {_SHORTEST_SECRET} characters")
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("sqlite:///", "postgresql+psycopg://", "postgresql://")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        # Plain `postgresql://` means the driver that this program brings along.
        return value and value.replace("postgresql://", "postgresql+psycopg://", 1)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the TOML file that `SOP_CONFIG` names after everything else."""
        named = os.environ.get(CONFIG_FILE)
        toml = (TomlConfigSettingsSource(settings_cls, Path(named)),) if named else ()
        return (init_settings, env_settings, dotenv_settings, *toml)

    def with_changes(self, **changes: object) -> "Settings":
        """Return the same settings but for `changes`, checked again; a change to None is none."""
        given = {name: value for name, value in changes.items() if value is not None}
        return _checked({**self.model_dump(), **given}) if given else self

    @property
    def library_path(self) -> Path:
        """The bare repository."""
        return self.home / "library.git"

    @property
    def database_path(self) -> Path:
        """The SQLite file, where the database is one."""
        return self.home / "sop.db"

    @property
    def index_path(self) -> Path:
        """The folder of the search index."""
        return self.home / "index"

    @property
    def secret_key_path(self) -> Path:
        """The file that holds the secret key where no variable does."""
        return self.home / "secret_key"

    @property
    def resolved_database_url(self) -> str:
        """The URL of the database in use."""
        return self.database_url or sqlite_url(self.database_path)

    @property
    def known_hosts(self) -> frozenset[str]:
        """The names under which requests are answered, with those of the machine itself; empty where any is."""
        named = (
            _names(self.hosts) if self.hosts else [urlsplit(self.public_url).hostname or ""] if self.public_url else []
        )
        return frozenset({*(name.lower() for name in named), *_LOOPBACK}) if named else frozenset()

    @property
    def mail_sender(self) -> str:
        """Who mails come from."""
        return self.mail_from or f"sop-server@{urlsplit(self.public_url or '').hostname}"

    @property
    def provider_rules(self) -> ProviderRules:
        """What the identity provider may decide here."""
        return ProviderRules(
            name=self.oidc_name,
            groups=parse_groups(self.oidc_map),
            groups_claim=self.oidc_groups_claim,
            domains=frozenset(name.lower() for name in _listed(self.oidc_domains)),
            trusts_email=self.oidc_trust_email,
            adds_people=self.oidc_new_people == "add",
            replaces_passwords=self.oidc_passwords == "replace",
            second_factor=parse_factor(self.oidc_second_factor),
        )

    @property
    def proxy_door(self) -> ProxyDoor | None:
        """The proxies that are believed about who somebody is, None where none is."""
        if self.proxy_auth_header is None:
            return None
        return ProxyDoor(self.proxy_auth_header, parse_networks(_listed(self.proxy_auth_from)))

    @property
    def policy(self) -> Policy:
        """What the rules take from the settings."""
        return Policy(
            window_hours=self.window_hours,
            timezone=self.timezone,
            library_name=self.library_name,
            session_idle=timedelta(minutes=self.session_idle_minutes),
            session_longest=timedelta(hours=self.session_hours),
            recertification=self.recertification,
            recertification_days=self.recertification_days,
            keeps_sign_ins=timedelta(days=self.keep_sign_ins_days),
            keeps_addresses=timedelta(days=self.keep_addresses_days),
            provided_lapse=timedelta(days=self.oidc_lapse_days),
            second_factor_for=frozenset(_names(self.second_factor)) - {"optional"},
        )


def load_settings(**overrides: object) -> Settings:
    """Read the settings; raises InvalidInputError that names each bad one. `overrides` come from the command line."""
    named = os.environ.get(CONFIG_FILE)
    if named and not Path(named).is_file():
        raise InvalidInputError(f"{CONFIG_FILE} names {named}, which is no file. Mend the variable, or remove it.")
    return _checked({name: value for name, value in overrides.items() if value is not None})


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def _listed(text: str) -> list[str]:
    return [part for part in _names(text) if part]


def _setting(place: tuple[int | str, ...]) -> str:
    """Return the name of the setting that is wrong; what is wrong between several is told at the provider's first."""
    return f"{PREFIX}{str(place[0]).upper()}" if place else f"{PREFIX}OIDC_ISSUER"


def _read_by(read: Callable[[Given], object], value: Given) -> Given:
    """Return a value that `read` can read; raises ValueError with what it says otherwise."""
    try:
        read(value)
    except InvalidInputError as exc:
        raise ValueError(exc.message) from exc
    return value


def _checked(given: dict[str, Any]) -> Settings:
    try:
        return Settings(**given)
    except ValidationError as exc:
        fields = {
            _setting(error["loc"]): error["msg"].removeprefix("Value error, ")
            for error in exc.errors(include_url=False, include_context=False, include_input=False)
        }
        told = "; ".join(f"{name}: {problem}" for name, problem in fields.items())
        raise InvalidInputError(f"The settings cannot be used. {told}.", fields=fields) from exc
    except (SettingsError, ValueError, OSError) as exc:
        raise InvalidInputError(f"The settings cannot be read: {exc}") from exc
