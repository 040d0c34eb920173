"""The six reports, with the names of the domain's figures."""

from typing import Annotated

from pydantic import Field

from sop_server.api.schemas.base import Filter, Instant, Output, ShortText
from sop_server.api.schemas.sops import StaleReason
from sop_server.services.reports.reporting import DEFAULT_DAYS


class ReportQuery(Filter):
    """As of when, over how many days, for which part of the library."""

    at: Instant | None = None
    days: Annotated[int, Field(ge=1, le=3660)] = DEFAULT_DAYS
    department: ShortText | None = None
    owner: ShortText | None = None
    source: ShortText | None = None


class Report(Output):
    """What all reports say of themselves; `late_facts` counts what happened by then and was recorded after it."""

    at: Instant
    department: str | None
    late_facts: dict[str, int]


class LoudGlass(Output):
    """A revision that one person published alone, and that no second one has confirmed; `state` as of the report."""

    sop_id: str
    revision: int
    by: str
    reason: str
    at: Instant
    confirm_by: Instant
    state: str


class GlassFigures(Output):
    """What one person published alone over the last `days`; `broken` is the sum of the other figures.

    `items` are all that is still to be confirmed, or was objected to and is in force, whenever it was published.
    """

    days: int
    broken: int
    confirmed: int
    late: int
    objected: int
    waiting: int
    overdue: int
    items: list[LoudGlass]


class Component(Output):
    """One part of the score; `q` is null without data, `lost` is in points of ten."""

    name: str
    weight: float
    q: float | None
    lost: float


class Cap(Output):
    """The score is at most `limit`, because of `reason`."""

    limit: float
    reason: str


class Drift(Report):
    """The drift score with everything that explains it."""

    score: float | None
    band: str | None
    components: list[Component]
    caps: list[Cap]
    formula_version: str
    would_raise_most: str
    break_glass: GlassFigures


class WindowFigures(Output):
    """How the window was kept; `n` is met, late and breached, all due within the period."""

    n: int
    met: int
    late: int
    breached: int
    not_needed: int
    void: int
    pending: int
    compliance: float | None
    wilson_low: float | None
    wilson_high: float | None
    median_exposure_hours: float | None
    p90_exposure_hours: float | None
    median_response_hours: float | None
    target: float
    misses_allowed: int
    misses_left: int


class WindowGroup(WindowFigures):
    """The figures of one department, owner or source; `name` is null for those without."""

    name: str | None


class Window(Report, WindowFigures):
    """How the window was kept over the last `days`, as a whole and by group."""

    days: int
    break_glass: GlassFigures
    by_department: list[WindowGroup]
    by_owner: list[WindowGroup]
    by_source: list[WindowGroup]


class StaleItem(Output):
    """A SOP in force with its reasons, worst first."""

    sop_id: str
    title: str
    department: str | None
    owner: str | None
    reasons: list[StaleReason]


class Staleness(Report):
    """Every stale SOP, worst first."""

    items: list[StaleItem]


class Undocumented(Output):
    """An active process that no SOP in force names."""

    process_id: str
    name: str
    department: str | None
    owner: str | None
    criticality: str
    since: Instant
    grace_until: Instant


class Coverage(Report):
    """How much of what the operation does is written down."""

    coverage: float | None
    documented: int
    active: int
    undocumented: list[Undocumented]


class KnowledgeItem(Output):
    """How many have to know a SOP and do."""

    sop_id: str
    title: str
    department: str | None
    owner: str | None
    revision: int
    major: int
    required: int
    done: int
    starters: int
    starters_in_time: int


class Knowledge(Report):
    """How much of what has to be known is known."""

    knowledge: float | None
    acknowledged: float | None
    starters: float | None
    cared_for: float | None
    items: list[KnowledgeItem]


class WaitingFeedback(Output):
    """A report of a reader that nobody has triaged yet."""

    id: str
    sop_id: str | None
    kind: str
    reported_at: Instant


class FeedbackFigures(Report):
    """How what readers report was looked at over the last `days`."""

    days: int
    share: float | None
    due: int
    in_time: int
    late: int
    untriaged: int
    kinds: dict[str, int]
    waiting: list[WaitingFeedback]
