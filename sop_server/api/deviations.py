"""Deviations from SOPs: proposing, deciding, ending them."""

from collections.abc import Callable
from http import HTTPStatus

from sop_server.api.routes import Call, Reply, Route
from sop_server.api.schemas.base import Listing, Nothing
from sop_server.api.schemas.deviations import (
    Deviation,
    DeviationApprove,
    DeviationEdit,
    DeviationPropose,
    DeviationQuery,
    DeviationReason,
    DeviationsOfSopQuery,
)
from sop_server.domain.deviations import DeviationInput
from sop_server.domain.permissions import Action
from sop_server.services.deviations import deciding, proposing, register
from sop_server.services.deviations.deviation_views import DeviationView
from sop_server.services.deviations.register import DeviationFilter
from sop_server.services.library import reading


def list_deviations(call: Call) -> Listing[Deviation]:
    """List the deviations that you may see, the newest first."""
    query = call.query(DeviationQuery)
    return _listed(call, query, DeviationFilter(query.state, query.department, query.sop))


def list_deviations_of_sop(call: Call, sop_id: str) -> Listing[Deviation]:
    """List the deviations from a SOP that you may see, the newest first."""
    query = call.query(
        DeviationsOfSopQuery,
        sight=lambda: reading.list_revisions(call.stores, actor=call.actor, sop_id=sop_id, now=call.now),
    )
    return _listed(call, query, DeviationFilter(state=query.state, sop_id=sop_id))


def propose_deviation(call: Call, sop_id: str) -> Reply:
    """Ask that something else than the SOP says be done for a time."""
    body = call.body(
        DeviationPropose,
        sight=lambda: proposing.deviable(call.stores, actor=call.actor, now=call.now, sop_id=sop_id),
    )
    made = proposing.propose_deviation(
        call.stores, actor=call.actor, now=call.now, sop_id=sop_id, given=_given(body), follows=body.follows
    )
    return Reply(Deviation.model_validate(made), status=HTTPStatus.CREATED)


def get_deviation(call: Call, deviation_id: str) -> Deviation:
    """Read one deviation."""
    return Deviation.model_validate(_known(call, deviation_id))


def edit_deviation(call: Call, deviation_id: str) -> Deviation:
    """Write a proposal anew, against the revision in force."""
    body = call.body(DeviationEdit, sight=_with_role(call, deviation_id, Action.PROPOSE_DEVIATION))
    edited = proposing.edit_deviation(
        call.stores,
        actor=call.actor,
        now=call.now,
        deviation_id=deviation_id,
        content_hash=body.content_hash,
        given=_given(body),
    )
    return Deviation.model_validate(edited)


def withdraw_deviation(call: Call, deviation_id: str) -> Deviation:
    """Take a proposal back."""
    call.body(Nothing, sight=_with_role(call, deviation_id, Action.PROPOSE_DEVIATION))
    return Deviation.model_validate(
        proposing.withdraw_deviation(call.stores, actor=call.actor, now=call.now, deviation_id=deviation_id)
    )


def approve_deviation(call: Call, deviation_id: str) -> Deviation:
    """Permit, as a second person, exactly what was read."""
    body = call.body(DeviationApprove, sight=_second(call, deviation_id))
    return Deviation.model_validate(
        deciding.approve_deviation(
            call.stores, actor=call.actor, now=call.now, deviation_id=deviation_id, content_hash=body.content_hash
        )
    )


def refuse_deviation(call: Call, deviation_id: str) -> Deviation:
    """Say no to a proposal as a second person, and why."""
    body = call.body(DeviationReason, sight=_second(call, deviation_id))
    return Deviation.model_validate(
        deciding.refuse_deviation(
            call.stores, actor=call.actor, now=call.now, deviation_id=deviation_id, reason=body.reason
        )
    )


def end_deviation(call: Call, deviation_id: str) -> Deviation:
    """End a deviation before its time, and say why."""
    body = call.body(DeviationReason, sight=_with_role(call, deviation_id, Action.END_DEVIATION))
    return Deviation.model_validate(
        deciding.end_deviation(
            call.stores, actor=call.actor, now=call.now, deviation_id=deviation_id, reason=body.reason
        )
    )


def _listed(call: Call, query: DeviationsOfSopQuery, wanted: DeviationFilter) -> Listing[Deviation]:
    page = register.list_deviations(
        call.stores, actor=call.actor, now=call.now, wanted=wanted, limit=query.limit, cursor=query.cursor
    )
    return Listing[Deviation](items=[Deviation.model_validate(item) for item in page.items], next=page.next)


def _given(body: DeviationPropose | DeviationEdit) -> DeviationInput:
    return DeviationInput(
        step=body.step,
        instead=body.instead,
        why=body.why,
        reference=body.reference,
        teams=body.teams,
        control=body.control,
        begins_at=body.begins_at,
        ends_at=body.ends_at,
    )


def _known(call: Call, deviation_id: str) -> DeviationView:
    return register.get_deviation(call.stores, actor=call.actor, now=call.now, deviation_id=deviation_id)


def _with_role(call: Call, deviation_id: str, action: Action) -> Callable[[], None]:
    return lambda: call.actor.require(action, _known(call, deviation_id).department)


def _second(call: Call, deviation_id: str) -> Callable[[], None]:
    return lambda: deciding.require_decider(call.actor, _known(call, deviation_id))


_MOVED_ON = {409: "It is in another state, or says something else; `content_hash` is that of what it says now"}

ROUTES = (
    Route("GET", "/deviations", list_deviations, Listing[Deviation], action=Action.READ, query=DeviationQuery),
    Route(
        "GET",
        "/sops/<sop_id>/deviations",
        list_deviations_of_sop,
        Listing[Deviation],
        action=Action.READ,
        query=DeviationsOfSopQuery,
    ),
    Route(
        "POST",
        "/sops/<sop_id>/deviations",
        propose_deviation,
        Deviation,
        action=Action.PROPOSE_DEVIATION,
        body=DeviationPropose,
        status=HTTPStatus.CREATED,
        also={409: "Nothing is in force yet", 410: "The SOP is retired"},
    ),
    Route("GET", "/deviations/<deviation_id>", get_deviation, Deviation, action=Action.READ),
    Route(
        "PUT",
        "/deviations/<deviation_id>",
        edit_deviation,
        Deviation,
        action=Action.PROPOSE_DEVIATION,
        body=DeviationEdit,
        also={**_MOVED_ON, 410: "The SOP is retired", 412: "Somebody edited it meanwhile"},
    ),
    Route(
        "POST",
        "/deviations/<deviation_id>/withdraw",
        withdraw_deviation,
        Deviation,
        action=Action.PROPOSE_DEVIATION,
        body=Nothing,
        also=_MOVED_ON,
    ),
    Route(
        "POST",
        "/deviations/<deviation_id>/approve",
        approve_deviation,
        Deviation,
        action=Action.DECIDE_DEVIATION,
        body=DeviationApprove,
        also={**_MOVED_ON, 410: "The SOP is retired"},
    ),
    Route(
        "POST",
        "/deviations/<deviation_id>/refuse",
        refuse_deviation,
        Deviation,
        action=Action.DECIDE_DEVIATION,
        body=DeviationReason,
        also=_MOVED_ON,
    ),
    Route(
        "POST",
        "/deviations/<deviation_id>/end",
        end_deviation,
        Deviation,
        action=Action.END_DEVIATION,
        body=DeviationReason,
        also=_MOVED_ON,
    ),
)
