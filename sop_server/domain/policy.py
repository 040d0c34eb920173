"""What an installation decides for itself within the rules."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Policy:
    """`window_hours`: elapsed hours from go-live within which an obligation must be met.

    A browser stays signed in for `session_longest`, and no longer than `session_idle` without a page.
    """

    window_hours: float = 48.0
    timezone: str = "UTC"
    library_name: str = "SOP library"
    session_idle: timedelta = timedelta(hours=12)
    session_longest: timedelta = timedelta(days=7)
