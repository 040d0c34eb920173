"""An OpenID Connect provider that the tests start on the loopback: real keys, signed tokens, and any misbehaviour."""

import base64
import functools
import hashlib
import hmac
import html
import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT, SECRET = "sop-server", "a secret between two servers"

Claims = dict[str, Any]


@dataclass
class IdentityProvider:
    """Who signs in there, and how it misbehaves.

    `claims` are those of the person who signs in next, `twist` is what is changed in the token at last (None takes a
    claim away), `metadata` what is changed in what it says of itself, `answer` in its answer to the browser.
    """

    clock: Callable[[], datetime]
    url: str = ""
    claims: Claims = field(default_factory=dict)
    twist: Claims = field(default_factory=dict)
    metadata: Claims = field(default_factory=dict)
    answer: dict[str, str] = field(default_factory=dict)
    userinfo: Claims | None = None
    algorithm: str = "RS256"
    garbage: bytes | None = None
    status: int = 200
    delay: float = 0.0
    asks: bool = False
    asked: list[str] = field(default_factory=list)
    key: Any = None
    published: list[Any] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    signed_out: list[dict[str, str]] = field(default_factory=list)

    def rotate(self, key: Any = None) -> None:
        """Sign with a new key from now on, and publish it alone."""
        self.key = key or RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig"})
        self.published = [self.key]

    def document(self) -> Claims:
        found = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "end_session_endpoint": f"{self.url}/leave",
            "authorization_response_iss_parameter_supported": True,
            **({} if self.userinfo is None else {"userinfo_endpoint": f"{self.url}/userinfo"}),
        }
        return {name: value for name, value in {**found, **self.metadata}.items() if value is not None}

    def authorize(self, query: dict[str, str]) -> str:
        """Return where the browser is sent back to."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        answer = {"code": code, "state": query["state"], "iss": self.url, **self.answer}
        return f"{query['redirect_uri']}?{urlencode({name: told for name, told in answer.items() if told})}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, Claims]:
        """Exchange a code, once, for whoever holds its verifier and the client's secret."""
        begun = self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        known = base64.b64decode(authorization.removeprefix("Basic ")).decode() == f"{CLIENT}:{SECRET}"
        if begun is None or begun["code_challenge"] != challenge.decode().rstrip("=") or not known:
            return 400, {"error": "invalid_grant"}
        if form["redirect_uri"] != begun["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "for userinfo", "token_type": "Bearer", "id_token": self.id_token(begun)}

    def id_token(self, begun: dict[str, str]) -> str:
        now = int(self.clock().timestamp())
        usual = {"iss": self.url, "aud": CLIENT, "nonce": begun["nonce"], "iat": now, "exp": now + 300, **self.claims}
        if "subject" in begun:
            usual["sub"] = begun["subject"]
        claims = {name: value for name, value in {**usual, **self.twist}.items() if value is not None}
        if self.algorithm == "none":
            parts = [{"alg": "none"}, claims]
            return ".".join(_base64(json.dumps(part).encode()) for part in parts) + "."
        if self.algorithm == "HS256":
            # The libraries refuse to sign with what is published; whoever attacks does not ask them.
            parts = [{"alg": "HS256", "kid": self.key.kid}, claims]
            signed = ".".join(_base64(json.dumps(part).encode()) for part in parts)
            shared = hmac.digest(self.key.as_pem(private=False), signed.encode(), "sha256")
            return f"{signed}.{_base64(shared)}"
        return jwt.encode({"alg": self.algorithm, "kid": self.key.kid}, claims, self.key, algorithms=[self.algorithm])


@functools.cache
def _first_key() -> Any:
    """Return a key; making one takes longer than most tests."""
    return RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})


def new_ec_key() -> Any:
    return ECKey.generate_key("P-256", {"kid": secrets.token_hex(4)})


def _base64(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


class _Door(BaseHTTPRequestHandler):
    """The provider's pages over HTTP."""

    provider: IdentityProvider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.provider.asked.append(parts.path)
        pages: dict[str, Callable[[dict[str, str]], None]] = {
            "/authorize": self._authorize,
            "/leave": self._leave,
            "/keys": self._keys,
            "/userinfo": self._userinfo,
            "/.well-known/openid-configuration": lambda _query: self._tell(self.provider.document()),
        }
        pages[parts.path](query)

    def do_POST(self) -> None:
        self.provider.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        status, told = self.provider.token(form, self.headers.get("Authorization", ""))
        self._tell(told, status)

    def _authorize(self, query: dict[str, str]) -> None:
        there = self.provider.authorize(query)
        if self.provider.asks:
            page = f'<!doctype html><html lang="en"><title>P</title><a href="{html.escape(there)}">It is me</a></html>'
            self._say(200, page.encode(), "text/html")
        else:
            self._say(303, b"", location=there)

    def _leave(self, query: dict[str, str]) -> None:
        self.provider.signed_out.append(query)
        self._say(303, b"", location=query["post_logout_redirect_uri"])

    def _keys(self, _query: dict[str, str]) -> None:
        self._tell({"keys": [key.as_dict(private=False) for key in self.provider.published]})

    def _userinfo(self, _query: dict[str, str]) -> None:
        assert self.headers["Authorization"] == "Bearer for userinfo"
        self._tell(self.provider.userinfo or {})

    def _tell(self, told: Claims, status: int = 200) -> None:
        time.sleep(self.provider.delay)
        status = status if self.provider.status == requests.codes.ok else self.provider.status
        self._say(status, json.dumps(told).encode() if self.provider.garbage is None else self.provider.garbage)

    def _say(self, status: int, body: bytes, kind: str = "application/json", location: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if location is not None:
            self.send_header("Location", location)
        self.end_headers()
        with suppress(OSError):  # whoever asked may have lost patience
            self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def identity_provider(clock: Callable[[], datetime], *, certificate: Path | None = None) -> Iterator[IdentityProvider]:
    """Serve a provider until the end, over TLS where there is a certificate for it."""
    provider = IdentityProvider(clock)
    provider.rotate(_first_key())
    door = type("Door", (_Door,), {"provider": provider})
    with ThreadingHTTPServer(("127.0.0.1", 0), door) as server:
        server.daemon_threads = True
        if certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        provider.url = f"http{'s' if certificate else ''}://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield provider
        server.shutdown()
