"""ID tokens of an identity provider: whether one is genuine, for us, of this sign-in and of this moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Asymmetric ones alone: whoever knows the public key, or nothing at all, must not be able to sign."""

LEEWAY = 120
"""Seconds by which the clocks of the provider and of this server may differ."""

OLDEST = 600
"""Seconds after which a token is none of this sign-in any more, however long it says that it holds."""

_LONGEST = 64 * 1024
_PublicKey = RSAKey | ECKey | OKPKey


class BadTokenError(Exception):
    """A token that proves nothing; `reason` is one word for the audit trail."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownKeyError(BadTokenError):
    """A token that is signed with a key that the provider had not published when it was last asked."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token of this sign-in must say."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str | None


def checked_claims(
    token: object, keys: Sequence[Mapping[str, Any]], expected: Expected, *, now: datetime
) -> dict[str, Any]:
    """Return the claims of an ID token; raises BadTokenError. `keys` are the provider's, as JSON web keys."""
    if not isinstance(token, str) or len(token) > _LONGEST:
        raise BadTokenError("no_token")
    header, claims = _verified(token, keys)
    seconds = int(now.timestamp())
    _check_clock(claims, seconds)
    _check_audience(claims, expected)
    options: Any = {"iss": {"essential": True, "value": expected.issuer}}
    params = {"nonce": expected.nonce, "client_id": expected.client_id, "access_token": expected.access_token}
    try:
        CodeIDToken(claims, header, options, params).validate(seconds, LEEWAY)
    except JoseError as exc:
        raise BadTokenError(str(getattr(exc, "claim", None) or exc.error)) from exc
    return claims


def _check_clock(claims: Mapping[str, Any], now: int) -> None:
    issued: Any = claims.get("iat")
    expires: Any = claims.get("exp")
    if not _is_time(issued) or not _is_time(expires):
        raise BadTokenError("clock")
    if not now - OLDEST - LEEWAY <= issued <= now + LEEWAY or not expires > now - LEEWAY:
        raise BadTokenError("clock")


def _check_audience(claims: Mapping[str, Any], expected: Expected) -> None:
    """Check what the library leaves open where it was not told to: for whom the token is, and that it has our nonce."""
    audience, party = claims.get("aud"), claims.get("azp")
    named = audience if isinstance(audience, list) else [audience]
    if expected.client_id not in named or (len(named) > 1 and party != expected.client_id):
        raise BadTokenError("aud")
    if not expected.nonce or claims.get("nonce") != expected.nonce:
        raise BadTokenError("nonce")


def _is_time(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _verified(token: str, keys: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    registry = jws.JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
    try:
        header = jws.extract_compact(token.encode("ascii")).headers()
    except (JoseError, ValueError, RecursionError) as exc:
        raise BadTokenError("unreadable") from exc
    if header.get("alg") not in ALGORITHMS:
        raise BadTokenError("algorithm")
    for key in _candidates(keys, header):
        try:
            found = jwt.decode(token, key, registry=registry)
        except (JoseError, ValueError, RecursionError):
            continue
        return dict(found.header), dict(found.claims)
    raise BadTokenError("signature")


def _candidates(keys: Sequence[Mapping[str, Any]], header: Mapping[str, Any]) -> list[_PublicKey]:
    """Return the public keys that may have signed; one that nobody can read hides none of the others."""
    kid = header.get("kid")
    found: list[_PublicKey] = []
    for one in keys:
        if one.get("use", "sig") != "sig" or (kid is not None and one.get("kid") != kid):
            continue
        try:
            key = import_key(dict(one))
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        # A symmetric key would be known to whoever reads the published set.
        if isinstance(key, (RSAKey, ECKey, OKPKey)):
            found.append(key)
    if not found:
        raise UnknownKeyError("unknown_key")
    return found
