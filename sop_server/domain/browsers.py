"""Browsers in words: what a person recognises their own by."""

import re

_BROWSERS = (
    ("Edge", re.compile(r"\bEdgA?(?:iOS)?/")),
    ("Opera", re.compile(r"\bOPR/|\bOpera\b")),
    ("Samsung Internet", re.compile(r"\bSamsungBrowser/")),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/")),
    ("Chrome", re.compile(r"\b(?:(?:Headless)?Chrome|CriOS|Chromium)/")),
    ("Safari", re.compile(r"\bSafari/")),
)
_SYSTEMS = (
    ("iPhone", re.compile(r"\biPhone\b")),
    ("iPad", re.compile(r"\biPad\b")),
    ("Android", re.compile(r"\bAndroid\b")),
    ("Windows", re.compile(r"\bWindows\b")),
    ("macOS", re.compile(r"\bMac OS X\b|\bMacintosh\b")),
    ("ChromeOS", re.compile(r"\bCrOS\b")),
    ("Linux", re.compile(r"\bLinux\b")),
)


def browser_in_words(user_agent: str) -> str:
    """Return what a `User-Agent` says in words, “Firefox on Windows”; "" where it says nothing that is known."""
    browser = next((name for name, mark in _BROWSERS if mark.search(user_agent)), "")
    system = next((name for name, mark in _SYSTEMS if mark.search(user_agent)), "")
    if not browser:
        return f"A browser on {system}" if system else ""
    return f"{browser} on {system}" if system else browser
