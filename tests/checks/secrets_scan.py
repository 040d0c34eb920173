"""Looks for keys, tokens and passwords that somebody left in what is shipped."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("sops", "templates", "docs", "hooks", "sop_server")
PAGES = ("README.md", "ARCHITECTURE.md", "CHANGES.md", "SECURITY.md", "Makefile", "pyproject.toml")

ALLOWED: Mapping[str, str] = {
    "smtp://user:password@host": "shows the form of an address",
    "postgresql://user:password@host": "shows the form of an address",
    '_ALPHABET = "abc': "the letters that codes are made of",
}
"""What looks like a secret and is none, by a part of its line, with the reason."""

# What an operation's procedures and this program's code could plausibly hold; each costs a look at every line.
_KINDS = (
    *("AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "Base64HighEntropyString"),
    *("GitHubTokenDetector", "GitLabTokenDetector", "HexHighEntropyString", "JwtTokenDetector"),
    *("OpenAIDetector", "PrivateKeyDetector", "SlackDetector", "StripeDetector"),
)
# In code the words for secrets stand on every second line; ruff and bandit look at what is assigned to them there.
_WORDS = "KeywordDetector"
_NO_TEXT = frozenset({".png", ".pyc", ".woff2", ".ico"})


@dataclass(frozen=True, slots=True)
class Found:
    """Something that looks like a secret: where, and what kind it seems to be. Never what it is."""

    path: str
    line: int
    kind: str


def shipped() -> list[Path]:
    """Return the files that go out to users."""
    found = [path for folder in SHIPPED for path in (ROOT / folder).rglob("*")]
    found += [ROOT / name for name in PAGES]
    return sorted(path for path in found if path.is_file() and path.suffix not in _NO_TEXT)


def scan(paths: Iterable[Path]) -> Iterator[Found]:
    """Yield what looks like a secret; nothing is asked of any network."""
    text = {path for path in paths if path.suffix in {".md", ".yaml", ".yml", ".toml", ".txt", ".csv", ".env", ""}}
    code = sorted(set(paths) - text)
    yield from _scan(sorted(text), (*_KINDS, _WORDS))
    yield from _scan(code, _KINDS)


def _scan(paths: Iterable[Path], plugins: Iterable[str]) -> Iterator[Found]:
    with transient_settings({"plugins_used": [{"name": name} for name in plugins]}):
        for path in paths:
            lines: list[str] = []
            for secret in scan_file(str(path)):
                lines = lines or path.read_text("utf-8", "replace").splitlines()
                line = lines[secret.line_number - 1]
                if not any(part in line for part in ALLOWED):
                    yield Found(str(path), secret.line_number, secret.type)
