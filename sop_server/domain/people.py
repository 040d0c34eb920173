"""What a person's address, name and password may look like."""

import re
import unicodedata

from sop_server.errors import InvalidInputError

MAX_EMAIL = 254
MAX_NAME = 120
MAX_PASSWORD = 128
LONGEST_TYPED = 1024  # beyond this what is typed as a password is a way to keep the processor busy
LEAST_PASSWORD = 12
LEAST_PASSWORD_BY_OPERATOR = 8

# Addresses go into git identities and mail headers: what would end or nest there is kept out.
# A slash would end the name of somebody's page in its address, and nobody could end their access there.
_EMAIL = re.compile(r"[^\s@<>()\[\]\\,;:/\"\x00-\x1f\x7f]+@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]*[a-z0-9])*")


def clean_email(text: str, *, field: str = "email") -> str:
    """Return an e-mail address as it is stored, in lower case; raises InvalidInputError where it is none.

    Nor may it be another spelling of one, such as with a full-width or long letter: it would pass for that person's.
    """
    email = unicodedata.normalize("NFC", text).strip().lower()
    other = unicodedata.normalize("NFKC", text).strip().lower() != email or (email.isascii() and not text.isascii())
    if len(email) > MAX_EMAIL or other or not email.isprintable() or _EMAIL.fullmatch(email) is None:
        raise InvalidInputError(
            f"“{text[:MAX_EMAIL]}” is not an e-mail address. Write it as “asha@example.com”.",
            fields={field: "must be an e-mail address"},
        )
    return email


def clean_name(text: str, *, field: str = "name") -> str:
    """Return a person's name as it is stored: one line, and nothing that would end a git identity."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name or len(name) > MAX_NAME or not name.isprintable() or any(mark in name for mark in "<>"):
        raise InvalidInputError(
            f"A name has 1 to {MAX_NAME} printable characters, and no “<” or “>”.",
            fields={field: f"1 to {MAX_NAME} printable characters"},
        )
    return name


def clean_password(password: str, *, least: int = LEAST_PASSWORD, field: str = "password") -> str:
    """Return a new password in the form that is hashed; raises InvalidInputError where it is too short or too long."""
    normal = normal_password(password)
    if not least <= len(normal) <= MAX_PASSWORD:
        raise InvalidInputError(
            f"A password has at least {least} characters and at most {MAX_PASSWORD}. "
            "Several words that mean something to you alone are easier to keep than signs.",
            fields={field: f"{least} to {MAX_PASSWORD} characters"},
        )
    return normal


def normal_password(password: str) -> str:
    """Return the one form of a password that different keyboards type differently."""
    return unicodedata.normalize("NFKC", password)
