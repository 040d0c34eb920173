"""Re-certification: every role confirmed or removed, and the report of it."""

from http import HTTPStatus

from sop_server.api.listing import part
from sop_server.api.routes import Call, Reply, Route
from sop_server.api.schemas.base import Listing, Paging
from sop_server.api.schemas.recertifications import (
    Asked,
    Decisions,
    DecisionWrite,
    Figures,
    ItemQuery,
    OfDepartment,
    Recertification,
    RecertificationItem,
    RecertificationWrite,
)
from sop_server.domain.permissions import Action
from sop_server.services.accounts import recertification_views as views
from sop_server.services.accounts import recertifications
from sop_server.services.accounts.recertification_views import ItemFilter, RecertificationView


def list_recertifications(call: Call) -> Listing[Recertification]:
    """List the campaigns, the newest first."""
    paging = call.query(Paging)
    found = views.list_recertifications(call.stores, actor=call.actor, now=call.now)
    return part(found, paging, _shown, Listing[Recertification])


def open_recertification(call: Call) -> Reply:
    """Have every role of a department, or of all, confirmed or removed until a day."""
    body = call.body(RecertificationWrite)
    opened = recertifications.open_recertification(
        call.stores,
        actor=call.actor,
        now=call.now,
        department=body.department,
        due_at=body.due_at,
        note=body.note,
    )
    return Reply(_shown(opened), status=HTTPStatus.CREATED)


def get_recertification(call: Call, recertification_id: str) -> Recertification:
    """Read one campaign: its figures, and who was asked."""
    return _shown(_campaign(call, recertification_id))


def list_recertification_items(call: Call, recertification_id: str) -> Listing[RecertificationItem]:
    """List the roles in a campaign with what became of each."""
    query = call.query(ItemQuery, sight=lambda: _campaign(call, recertification_id))
    page = views.list_items(
        call.stores,
        actor=call.actor,
        now=call.now,
        recertification_id=recertification_id,
        wanted=ItemFilter(query.department, query.q, query.undecided),
        limit=query.limit,
        cursor=query.cursor,
    )
    return Listing[RecertificationItem](
        items=[RecertificationItem.model_validate(one) for one in page.items], next=page.next
    )


def decide_roles(call: Call, recertification_id: str) -> Decisions:
    """Keep roles, or remove one, which ends it at once. The first decision about a role stands."""
    body = call.body(DecisionWrite, sight=lambda: _campaign(call, recertification_id))
    decided = recertifications.decide(
        call.stores,
        actor=call.actor,
        now=call.now,
        recertification_id=recertification_id,
        items=body.items,
        verdict=body.decision,
        note=body.note,
    )
    return Decisions(done=decided.done, passed_over=list(decided.passed_over))


def _campaign(call: Call, recertification_id: str) -> RecertificationView:
    return views.get_recertification(call.stores, actor=call.actor, now=call.now, recertification_id=recertification_id)


def _shown(one: RecertificationView) -> Recertification:
    return Recertification(
        id=one.id,
        department=one.department,
        note=one.note,
        period=one.period,
        opened_at=one.opened_at,
        opened_by_name=one.opened_by_name,
        due_at=one.due_at,
        closed_at=one.closed_at,
        figures=Figures.model_validate(one.figures),
        departments=[
            OfDepartment(department=department, figures=Figures.model_validate(figures))
            for department, figures in one.by_department
        ],
        asked=[Asked(department=who.department, role=who.role.value, names=list(who.names)) for who in one.asked],
    )


ROUTES = (
    Route(
        "GET",
        "/recertifications",
        list_recertifications,
        Listing[Recertification],
        action=Action.RECERTIFY,
        query=Paging,
    ),
    Route(
        "POST",
        "/recertifications",
        open_recertification,
        Recertification,
        action=Action.ADMINISTER,
        body=RecertificationWrite,
        status=HTTPStatus.CREATED,
    ),
    Route(
        "GET",
        "/recertifications/<recertification_id>",
        get_recertification,
        Recertification,
        action=Action.RECERTIFY,
    ),
    Route(
        "GET",
        "/recertifications/<recertification_id>/items",
        list_recertification_items,
        Listing[RecertificationItem],
        action=Action.RECERTIFY,
        query=ItemQuery,
    ),
    Route(
        "POST",
        "/recertifications/<recertification_id>/decisions",
        decide_roles,
        Decisions,
        action=Action.RECERTIFY,
        body=DecisionWrite,
    ),
)
