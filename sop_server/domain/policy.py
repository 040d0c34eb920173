"""What an installation decides for itself within the rules."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class Policy:
    """`window_hours`: elapsed hours from go-live within which an obligation must be met.

    A browser stays signed in for `session_longest`, and no longer than `session_idle` without a page.
    `second_factor_for` names the roles whose people need a second factor, or `everybody`.
    `recertification` is how often every role is confirmed (`off`, `monthly`, `quarterly`, `yearly`), within so many
    days. Sessions, links and mails that are over are kept for `keeps_sign_ins`, the network address of a session that
    goes on for `keeps_addresses`.
    What a provider's groups gave lapses where its person has not come in for `provided_lapse`.
    """

    window_hours: float = 48.0
    timezone: str = "UTC"
    library_name: str = "SOP library"
    session_idle: timedelta = timedelta(hours=12)
    session_longest: timedelta = timedelta(days=7)
    second_factor_for: frozenset[str] = frozenset()
    provided_lapse: timedelta = timedelta(days=30)
    recertification: str = "off"
    recertification_days: int = 14
    keeps_sign_ins: timedelta = timedelta(days=30)
    keeps_addresses: timedelta = timedelta(days=90)

    def demands_second_factor(self, roles: Iterable[str]) -> bool:
        """Whether somebody with these roles needs a second factor."""
        return EVERYBODY in self.second_factor_for or not self.second_factor_for.isdisjoint(roles)
