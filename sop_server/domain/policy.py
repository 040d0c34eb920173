"""What an installation decides for itself within the rules."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """`window_hours`: elapsed hours from go-live within which an obligation must be met."""

    window_hours: float = 48.0
    timezone: str = "UTC"
    library_name: str = "SOP library"
