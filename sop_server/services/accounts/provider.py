"""An OpenID Connect provider over HTTP: what it says of itself, its keys, and codes exchanged for who somebody is."""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from sop_server.domain.provider_rules import ProviderRules
from sop_server.domain.web_addresses import is_guarded
from sop_server.errors import BusyError
from sop_server.services.accounts.provider_tokens import BadTokenError, Expected, UnknownKeyError, checked_claims

_CONNECT, _READ, _IN_ALL = 3.0, 5.0, 8.0
_LARGEST = 512 * 1024
_KEPT_SECONDS = 3600.0
_QUIET_SECONDS = 10.0
_WELL_KNOWN = "/.well-known/openid-configuration"


class RefusedError(Exception):
    """The provider did not vouch for anybody; `reason` is one word for the audit trail."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Vouched:
    """What a provider vouched for: the checked claims, and the token itself, which a sign-out there asks for."""

    claims: Mapping[str, Any]
    id_token: str


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was read from an address, and when by the steady clock."""

    content: Mapping[str, Any]
    read_at: float


@dataclass(frozen=True, slots=True, eq=False)
class Provider:
    """One provider as the settings name it; safe to share between threads, and keeps what it reads for an hour.

    `redirect_uri` is where it sends browsers back to, `after_sign_out` where after a sign-out there.
    """

    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)
    scopes: str
    rules: ProviderRules
    redirect_uri: str
    after_sign_out: str
    _kept: dict[str, _Kept] = field(default_factory=dict, repr=False)
    _failed_at: list[float] = field(default_factory=list, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def address(self, *, state: str, nonce: str, verifier: str) -> str:
        """Return where to send a browser to; raises BusyError where the provider does not answer as it should."""
        metadata = self._metadata()
        extra = {"acr_values": " ".join(self.rules.second_factor.levels)} if self.rules.second_factor.levels else {}
        with self._session() as session:
            found, _ = session.create_authorization_url(
                _endpoint(metadata, "authorization_endpoint", self.rules.name),
                state=state,
                nonce=nonce,
                code_verifier=verifier,
                **extra,
            )
        return str(found)

    def vouch(self, *, code: str, iss: str | None, nonce: str, verifier: str, now: datetime) -> Vouched:
        """Exchange a code and check what comes back.

        `iss` is the issuer that the answer named (RFC 9207), None where it named none. Raises RefusedError where the
        provider vouches for nobody, or not in a way that proves anything; BusyError where it does not answer.
        """
        metadata = self._metadata()
        named = metadata.get("authorization_response_iss_parameter_supported") is True
        if iss != self.issuer and (iss is not None or named):
            raise RefusedError("iss")
        token = self._exchange(metadata, code, verifier)
        access_token = token.get("access_token")
        expected = Expected(self.issuer, self.client_id, nonce, access_token if isinstance(access_token, str) else None)
        try:
            claims = self._claims(metadata, token.get("id_token"), expected, now)
        except BadTokenError as exc:
            raise RefusedError(exc.reason) from exc
        return Vouched(self._with_user_info(metadata, claims, expected.access_token), str(token["id_token"]))

    def sign_out_address(self, id_token: str | None) -> str | None:
        """Return where a browser signs out of the provider too; None where it offers that not, or does not answer."""
        try:
            metadata = self._metadata()
            _endpoint(metadata, "end_session_endpoint", self.rules.name)
        except BusyError:
            return None
        hint = {"id_token_hint": id_token} if id_token else {}
        query = {**hint, "client_id": self.client_id, "post_logout_redirect_uri": self.after_sign_out}
        return str(requests.Request("GET", metadata["end_session_endpoint"], params=query).prepare().url)

    def _claims(self, metadata: Mapping[str, Any], token: object, expected: Expected, now: datetime) -> dict[str, Any]:
        address = _endpoint(metadata, "jwks_uri", self.rules.name)
        try:
            return checked_claims(token, _keys(self._document(address)), expected, now=now)
        except UnknownKeyError:
            # The provider may have changed its keys since they were read.
            return checked_claims(token, _keys(self._document(address, anew=True)), expected, now=now)

    def _with_user_info(
        self, metadata: Mapping[str, Any], claims: dict[str, Any], access_token: str | None
    ) -> Mapping[str, Any]:
        """Return the claims with those that the provider tells at its other door alone; the signed ones stay."""
        wanted = {"email"}
        if not self.rules.trusts_email:
            wanted.add("email_verified")
        if self.rules.groups:
            wanted.add(self.rules.groups_claim)
        if wanted <= claims.keys() or access_token is None or "userinfo_endpoint" not in metadata:
            return claims
        address = _endpoint(metadata, "userinfo_endpoint", self.rules.name)
        told = self._read("GET", address, headers={"Authorization": f"Bearer {access_token}"})
        if told.get("sub") != claims["sub"]:
            raise RefusedError("userinfo")
        if "email" in claims and told.get("email") != claims["email"]:
            # What is said of one address must not be taken for what is said of another.
            told = {name: value for name, value in told.items() if name not in {"email", "email_verified"}}
        return {**told, **claims}

    def _exchange(self, metadata: Mapping[str, Any], code: str, verifier: str) -> Mapping[str, Any]:
        methods = metadata.get("token_endpoint_auth_methods_supported")
        basic = not isinstance(methods, list) or "client_secret_basic" in methods
        method = None if self.client_secret is None or basic else "client_secret_post"
        with self._answering(), self._session(method) as session:
            try:
                found = session.fetch_token(
                    _endpoint(metadata, "token_endpoint", self.rules.name),
                    grant_type="authorization_code",
                    code=code,
                    redirect_uri=self.redirect_uri,
                    code_verifier=verifier,
                    timeout=(_CONNECT, _READ),
                    allow_redirects=False,
                )
            except OAuthError as exc:
                raise RefusedError("code") from exc
        return dict(found)

    def _session(self, method: str | None = None) -> OAuth2Session:
        return OAuth2Session(
            client_id=self.client_id,
            client_secret=self.client_secret,
            token_endpoint_auth_method=method,
            scope=self.scopes,
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
        )

    def _metadata(self) -> Mapping[str, Any]:
        metadata = self._document(self.issuer.rstrip("/") + _WELL_KNOWN)
        if metadata.get("issuer") != self.issuer:
            raise self._away("it calls itself something else than SOP_OIDC_ISSUER does")
        return metadata

    def _document(self, address: str, *, anew: bool = False) -> Mapping[str, Any]:
        """Return what stands at an address: kept for an hour, and longer while the provider does not answer."""
        kept = self._kept.get(address)
        if kept is not None and not anew and time.monotonic() - kept.read_at < _KEPT_SECONDS:
            return kept.content
        with self._lock:
            again = self._kept.get(address)
            if again is not None and again is not kept:
                return again.content  # another thread read it meanwhile
            try:
                content = self._read("GET", address)
            except BusyError:
                if kept is None or anew:
                    raise
                return kept.content
            self._kept[address] = _Kept(content, time.monotonic())
            return content

    def _read(self, method: str, address: str, headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        with self._answering():
            answer = requests.request(
                method,
                address,
                headers={"Accept": "application/json", **(headers or {})},
                timeout=(_CONNECT, _READ),
                allow_redirects=False,
                stream=True,
            )
            with answer:
                if answer.status_code != requests.codes.ok:
                    raise self._away(f"it answered {answer.status_code}")
                content = json.loads(_body(answer))
        if not isinstance(content, dict):
            raise self._away("what it said cannot be read")
        return content

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Turn every way in which the provider does not answer into a BusyError.

        For some seconds after one it is not asked again: every thread of a server that waits for a dead provider would
        keep somebody else waiting.
        """
        if self._failed_at and time.monotonic() - self._failed_at[0] < _QUIET_SECONDS:
            raise self._away("it did not answer a moment ago")
        try:
            yield
        except requests.RequestException as exc:
            self._failed_at[:] = [time.monotonic()]
            raise self._away(type(exc).__name__) from exc
        except (ValueError, RecursionError) as exc:
            raise self._away("what it said cannot be read") from exc
        self._failed_at.clear()

    def _away(self, why: str) -> BusyError:
        return away(self.rules.name, why)


def away(name: str, why: str) -> BusyError:
    """Return the error of a provider that does not do its part."""
    return BusyError(
        f"{name} does not answer as it should ({why}), so nobody can come in through it now. "
        "Try again in a minute, or sign in with your password here if you have one."
    )


def _endpoint(metadata: Mapping[str, Any], name: str, provider: str) -> str:
    address = metadata.get(name)
    if not is_guarded(address):
        raise away(provider, f"it names no usable {name}")
    return str(address)


def _keys(content: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    keys = content.get("keys")
    return [one for one in keys if isinstance(one, dict)] if isinstance(keys, list) else []


def _body(answer: requests.Response) -> bytes:
    """Return a body of a sensible size that came in a sensible time; raises ValueError otherwise."""
    deadline, body = time.monotonic() + _IN_ALL, b""
    for part in answer.iter_content(64 * 1024):
        body += part
        if len(body) > _LARGEST or time.monotonic() > deadline:
            raise ValueError("too long")
    return body
