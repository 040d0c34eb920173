"""Break-glass: one person publishes alone in an emergency, and a second one confirms it or objects."""

from collections.abc import Callable

from sop_server.api import signing
from sop_server.api.routes import Call, Route
from sop_server.api.schemas.drafts import BreakGlass, Broken
from sop_server.api.schemas.sops import Confirmation, Objection, RevisionWithText
from sop_server.domain.permissions import Action
from sop_server.services.drafts import breaking_glass, glass_answers


def break_glass(call: Call, draft_id: str) -> Broken:
    """Publish a draft in review alone, at once, with a reason; never an approval, and told until it is confirmed."""
    body = call.body(BreakGlass, sight=_alone_in_sight(call, draft_id))
    done = breaking_glass.break_glass(
        call.stores,
        actor=call.actor,
        draft_id=draft_id,
        content_hash=body.content_hash,
        reason=body.reason,
        now=call.now,
        attempt=signing.attempt(body.signature),
    )
    return Broken.model_validate(done)


def confirm_revision(call: Call, sop_id: str, number: int) -> RevisionWithText:
    """Confirm, as a second person, what one published alone."""
    body = call.body(Confirmation, sight=_second_in_sight(call, sop_id, number))
    confirmed = glass_answers.confirm_revision(
        call.stores,
        actor=call.actor,
        sop_id=sop_id,
        number=number,
        now=call.now,
        attempt=signing.attempt(body.signature),
    )
    return RevisionWithText.model_validate(confirmed)


def object_to_revision(call: Call, sop_id: str, number: int) -> RevisionWithText:
    """Object, as a second person and with a reason: a draft in review takes the revision back."""
    body = call.body(Objection, sight=_second_in_sight(call, sop_id, number))
    objected = glass_answers.object_to_revision(
        call.stores, actor=call.actor, sop_id=sop_id, number=number, reason=body.reason, now=call.now
    )
    return RevisionWithText.model_validate(objected)


def _alone_in_sight(call: Call, draft_id: str) -> Callable[[], None]:
    return lambda: breaking_glass.require_may_break(call.stores, actor=call.actor, draft_id=draft_id, now=call.now)


def _second_in_sight(call: Call, sop_id: str, number: int) -> Callable[[], None]:
    return lambda: glass_answers.require_may_answer(
        call.stores, actor=call.actor, sop_id=sop_id, number=number, now=call.now
    )


_UNSIGNED = {
    403: "Not allowed, or the signature is wrong",
    422: "What was sent cannot be used, or a signature is asked for and absent",
}
_ANSWERED = {409: "It was approved, or a second person answered already"}

ROUTES = (
    Route(
        "POST",
        "/drafts/<draft_id>/break-glass",
        break_glass,
        Broken,
        action=Action.DECIDE,
        body=BreakGlass,
        also={
            **_UNSIGNED,
            409: "The draft is in another state, or another text; `content_hash` is that of the text now",
        },
    ),
    Route(
        "POST",
        "/sops/<sop_id>/revisions/<int:number>/confirm",
        confirm_revision,
        RevisionWithText,
        action=Action.DECIDE,
        body=Confirmation,
        also={**_UNSIGNED, **_ANSWERED},
    ),
    Route(
        "POST",
        "/sops/<sop_id>/revisions/<int:number>/object",
        object_to_revision,
        RevisionWithText,
        action=Action.DECIDE,
        body=Objection,
        also=_ANSWERED,
    ),
)
