"""Codes of the second factor: the six figures of a phone (RFC 6238), and the recovery codes on paper."""

import hashlib
import hmac
import secrets
import unicodedata
from datetime import datetime

import pyotp

RECOVERY_CODES = 10

_SECONDS = 30
_STEPS_EITHER_WAY = 1
_FIGURES = 6
_LONGEST = 64
# Neither 0 and o nor 1 and l: people type them from paper. 16 of 32 characters are 80 bits.
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_GROUP, _GROUPS = 4, 4


def new_key() -> str:
    """Return a new key for a phone, in Base32: 160 bits, as RFC 4226 recommends."""
    return pyotp.random_base32()


def key_address(key: str, *, email: str, library_name: str) -> str:
    """Return the `otpauth:` address that a phone reads from the QR code."""
    return pyotp.TOTP(key).provisioning_uri(name=email, issuer_name=library_name)


def typed_code(text: str) -> str:
    """Return a code as it is compared: without spaces and dashes, in lower case."""
    normal = unicodedata.normalize("NFKC", text[:_LONGEST]).lower()
    return "".join(mark for mark in normal if mark.isalnum() and mark.isascii())


def is_phone_code(code: str) -> bool:
    """Whether a typed code has the form of a phone's; else it can only be one from paper."""
    return len(code) == _FIGURES and code.isdecimal()


def matching_step(key: str, code: str, *, now: datetime) -> int | None:
    """Return the time step whose code this is, the present one or the one before or after; None where it is of none."""
    made = pyotp.TOTP(key)
    present = int(now.timestamp()) // _SECONDS
    found = None
    # All are compared, so that the time taken does not tell which one it was.
    for step in range(present - _STEPS_EITHER_WAY, present + _STEPS_EITHER_WAY + 1):
        if hmac.compare_digest(made.generate_otp(step), code):
            found = step
    return found


def new_recovery_codes() -> tuple[str, ...]:
    """Return ten new recovery codes, as they are written down."""
    return tuple(
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
        for _ in range(RECOVERY_CODES)
    )


def recovery_hash(code: str) -> str:
    """Return what is stored of a recovery code. It has 80 random bits: a quick hash is enough."""
    return hashlib.sha256(typed_code(code).encode()).hexdigest()
