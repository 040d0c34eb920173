"""Re-certification: every role is confirmed or removed by somebody else, or ends by itself when it is due."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sop_server.domain.findings import FindingKind, Found
from sop_server.domain.identifiers import recertification_id as _name
from sop_server.domain.permissions import Action, Actor, Role

LONGEST = timedelta(days=366)
REMINDER = timedelta(days=3)
"""How long before the due date those are reminded who still have to decide."""

_GRACE = timedelta(days=9)
_PERIODS = {"monthly": timedelta(days=31), "quarterly": timedelta(days=91), "yearly": timedelta(days=366)}

SCHEDULES = ("off", *_PERIODS)


class Verdict(StrEnum):
    """What somebody decides about a role."""

    KEEP = "keep"
    REMOVE = "remove"


class Outcome(StrEnum):
    """What became of a role in a campaign; once there is one it stays."""

    KEPT = "kept"
    REMOVED = "removed"
    ENDED = "ended"
    """Nobody decided, so the campaign ended it."""
    GONE = "gone"
    """It had ended otherwise before anybody decided."""
    SPARED = "spared"
    """Nobody decided, and without it nobody would administer the library."""


@dataclass(frozen=True, slots=True)
class Holder:
    """An active person who holds a role for a department, or for all where it is None."""

    person_id: int
    department: str | None


@dataclass(frozen=True, slots=True)
class Watchers:
    """Who manages and who administers where, at an instant."""

    managers: frozenset[Holder]
    administrators: frozenset[Holder]

    @property
    def people(self) -> frozenset[int]:
        """Everybody who manages or administers anywhere: about whose roles others decide than about anybody else's."""
        return frozenset(one.person_id for one in (*self.managers, *self.administrators))

    def of(self, department: str | None, *, but: int | None = None) -> tuple[Role, frozenset[int]]:
        """Return who decides about the roles of a department, and as what; nobody about a role of their own.

        The managers of the department; administrators where it has none other than `but`, and about what holds for
        all departments.
        """
        if department is not None:
            managers = _there(self.managers, department) - {but}
            if managers:
                return Role.MANAGER, managers
        return Role.ADMIN, _there(self.administrators, department) - {but}


def _there(holders: Collection[Holder], department: str | None) -> frozenset[int]:
    return frozenset(one.person_id for one in holders if one.department in {None, department})


def refusal(actor: Actor, *, holder: int | None, department: str | None, watchers: Watchers) -> str | None:
    """Say why the actor may not decide about a role that `holder` has in `department`; None where they may."""
    if actor.person_id == holder:
        return "Nobody decides about a role of their own; somebody else has to."
    role, people = watchers.of(department, but=holder)
    if actor.person_id in people and actor.may(Action.RECERTIFY, department):
        return None
    if role is Role.MANAGER:
        return "The managers of the department decide about this role."
    return "Administrators decide about this role."


@dataclass(frozen=True, slots=True)
class Counted:
    """So many roles of a department of a campaign that came to the same; `outcome` is None while nobody decided."""

    department: str | None
    outcome: Outcome | None
    bulk: bool
    number: int


@dataclass(frozen=True, slots=True)
class Tally:
    """How far a campaign is: numbers of roles. `bulk` are those among the kept that were kept many at a time."""

    total: int
    kept: int
    bulk: int
    removed: int
    ended: int
    gone: int
    spared: int
    left: int

    @property
    def decided(self) -> float | None:
        """The share that people decided about, of what was there to decide; None where nothing was."""
        asked = self.total - self.gone
        return None if asked == 0 else (self.kept + self.removed) / asked


def tally(counts: Iterable[Counted]) -> Tally:
    """Add up what became of the roles of a campaign."""
    found = list(counts)

    def of(outcome: Outcome | None) -> int:
        return sum(one.number for one in found if one.outcome is outcome)

    return Tally(
        total=sum(one.number for one in found),
        kept=of(Outcome.KEPT),
        bulk=sum(one.number for one in found if one.outcome is Outcome.KEPT and one.bulk),
        removed=of(Outcome.REMOVED),
        ended=of(Outcome.ENDED),
        gone=of(Outcome.GONE),
        spared=of(Outcome.SPARED),
        left=of(None),
    )


def tally_by_department(counts: Iterable[Counted]) -> tuple[tuple[str | None, Tally], ...]:
    """Add up by department, that for all departments first."""
    found = list(counts)
    departments = sorted({one.department for one in found}, key=lambda slug: (slug is not None, slug or ""))
    return tuple((slug, tally(one for one in found if one.department == slug)) for slug in departments)


def period(schedule: str, now: datetime) -> str | None:
    """Return the name of the period that `now` lies in, such as `2026-Q4`; None where nothing is scheduled."""
    match schedule:
        case "monthly":
            return f"{now.year}-{now.month:02}"
        case "quarterly":
            return f"{now.year}-Q{(now.month + 2) // 3}"
        case "yearly":
            return f"{now.year}"
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Running:
    """A campaign that is not closed, as far as a finding needs it."""

    id: int
    department: str | None
    due_at: datetime
    left: int


@dataclass(frozen=True, slots=True)
class Spared:
    """The role of the last administrator, which a campaign could not end and nobody confirmed since."""

    recertification_id: int
    name: str


def access_findings(
    *,
    now: datetime,
    schedule: str,
    running: Iterable[Running],
    spared: Iterable[Spared],
    since: Mapping[str | None, datetime],
    certified: Mapping[str | None, datetime],
) -> list[Found]:
    """Return what is wrong with the confirmation of roles.

    `since` has, for each department with roles, when the oldest of them was given; `certified` when the last campaign
    about it was closed. The longest that a department may be without one is a period and nine days: 100 days where it
    is done quarterly.
    """
    found = [
        Found(
            f"recertification:overdue:{one.id}",
            FindingKind.RECERTIFICATION,
            _name(one.id),
            one.department,
            f"{_name(one.id)} was due on {_day(one.due_at)}, and {one.left} roles are not decided.",
            "Run the scan: it ends what nobody confirmed. Look at the log if it does not.",
        )
        for one in running
        if one.due_at < now
    ]
    found += [
        Found(
            f"recertification:spared:{one.recertification_id}",
            FindingKind.RECERTIFICATION,
            _name(one.recertification_id),
            None,
            f"Nobody confirmed that {one.name} is an administrator in {_name(one.recertification_id)}. The role "
            "was not ended, since the library would have been left without an administrator.",
            "Make a second person an administrator, and have the role confirmed by them or end it.",
        )
        for one in spared
    ]
    longest = _PERIODS.get(schedule)
    if longest is None:
        return found
    for department, oldest in since.items():
        last = certified.get(department)
        if now - max(oldest, last or oldest) > longest + _GRACE:
            place = "that hold for all departments" if department is None else f"in “{department}”"
            when = "never" if last is None else f"last on {_day(last)}"
            found.append(
                Found(
                    f"recertification:due:{department or '*'}",
                    FindingKind.RECERTIFICATION,
                    department or "all departments",
                    department,
                    f"The roles {place} were {when} confirmed.",
                    "Open a re-certification, and decide about each role.",
                )
            )
    return found


def _day(instant: datetime) -> str:
    return f"{instant.day} {instant:%b %Y}"
