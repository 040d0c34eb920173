"""Break-glass on PostgreSQL: of many at the same instant one publishes alone, one answers, and reports read it."""

from sop_server.domain.break_glass import GlassState
from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.errors import ConflictError
from sop_server.services.accounts.departments import list_departments, set_rules
from sop_server.services.drafts.breaking_glass import Broken, break_glass
from sop_server.services.drafts.glass_answers import confirm_revision, object_to_revision
from sop_server.services.library.sop_views import RevisionView
from sop_server.services.stores import Stores
from sop_server.storage import broken_glass
from tests.storage.postgresql.play import NOW, approved, at_once, person, submitted

WHY = "The only procedure sends money to a closed account."


def test_of_many_at_the_same_instant_one_publishes_alone_and_one_answers(
    stores: Stores, editor: Actor, approver: Actor
) -> None:
    draft, bob, cleo = submitted(stores, editor), person(stores, "bob", "approver"), person(stores, "cleo", "approver")

    def alone(actor: Actor) -> Broken:
        return break_glass(stores, actor=actor, draft_id=draft.id, content_hash=draft.content_hash, reason=WHY, now=NOW)

    outcomes = at_once(lambda: alone(approver), lambda: alone(approver), lambda: approved(stores, approver, draft))
    assert sum(isinstance(one, ConflictError) for one in outcomes) == 2

    sop_id = draft.sop_id
    with stores.database.read() as session:
        found = broken_glass.facts(session, stores.clock())
    if not found:
        draft = submitted(stores, editor, amount=200, sop_id=sop_id)
        alone(approver)
        with stores.database.read() as session:
            found = broken_glass.facts(session, stores.clock())
    number = found[0].revision
    answers = at_once(
        lambda: confirm_revision(stores, actor=bob, sop_id=sop_id, number=number, now=NOW),
        lambda: confirm_revision(stores, actor=cleo, sop_id=sop_id, number=number, now=NOW),
        lambda: object_to_revision(stores, actor=cleo, sop_id=sop_id, number=number, reason=WHY, now=NOW),
    )

    assert sum(isinstance(one, RevisionView) for one in answers) == 1
    assert sum(isinstance(one, ConflictError) for one in answers) == 2
    with stores.database.read() as session:
        (fact,) = broken_glass.facts(session, stores.clock())
    assert fact.state(NOW) in {GlassState.CONFIRMED, GlassState.OBJECTED}
    assert fact.departments == ("payments",)


def test_the_rules_of_a_department_are_kept(stores: Stores) -> None:
    set_rules(stores, actor=OPERATOR, now=NOW, slug="payments", signature=True)
    set_rules(stores, actor=OPERATOR, now=NOW, slug="payments", break_glass=False)

    (found,) = (one for one in list_departments(stores, now=NOW) if one.slug == "payments")
    assert (found.approvals_needed, found.signature, found.break_glass) == (1, True, False)
