from datetime import timedelta

import pytest

from sop_server.domain.tickets import TicketInput
from sop_server.errors import ConflictError
from sop_server.services.changes.obligations import confirm_not_needed, propose_not_needed
from sop_server.services.changes.tickets import upsert_ticket
from sop_server.services.drafts.approving import approve
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.drafts.drafting import DraftInput, create_draft, submit_draft
from sop_server.services.library.reading import get_sop
from sop_server.services.stores import Stores
from tests.services.conftest import NOW, Cast, Publish

TEXT = "---\ntitle: Refunds\ndepartment: payments\nowner: asha@example.com\n---\n1. {first}\n\n2. Pay.\n\n3. {last}\n"


def submitted(stores: Stores, cast: Cast, *, first: str, last: str, sop_id: str | None = None) -> DraftView:
    given = DraftInput(
        content=TEXT.format(first=first, last=last), change_summary="What changes.", significance="major"
    )
    draft = create_draft(stores, actor=cast.editor, given=given, sop_id=sop_id, now=NOW)
    return submit_draft(stores, actor=cast.editor, draft_id=draft.id, now=NOW)


def test_whoever_asked_first_and_waited_publishes_over_nobody(stores: Stores, cast: Cast) -> None:
    base = submitted(stores, cast, first="Ask.", last="Close.")
    approve(stores, actor=cast.approver, draft_id=base.id, content_hash=base.content_hash, now=NOW)
    early = submitted(stores, cast, first="Ask twice.", last="Close.", sop_id=base.sop_id)
    late = submitted(stores, cast, first="Ask.", last="Close and tell.", sop_id=base.sop_id)
    asked, meanwhile = NOW + timedelta(seconds=1), NOW + timedelta(seconds=2)
    approve(stores, actor=cast.approver, draft_id=late.id, content_hash=late.content_hash, now=meanwhile)

    merged_hash = None
    try:
        approve(stores, actor=cast.approver, draft_id=early.id, content_hash=early.content_hash, now=asked)
    except ConflictError as error:
        merged_hash = error.content_hash

    assert merged_hash is not None
    done = approve(stores, actor=cast.approver, draft_id=early.id, content_hash=merged_hash, now=asked)
    assert (done.revision, done.effective_from) == (3, meanwhile)
    shown = get_sop(stores, actor=cast.reader, sop_id=base.sop_id, now=meanwhile)
    assert "Ask twice." in shown.markdown
    assert "Close and tell." in shown.markdown


def test_whoever_asked_first_and_waited_proposes_and_confirms_over_nobody(
    stores: Stores, cast: Cast, publish: Publish
) -> None:
    publish("SOP-0001")
    upsert_ticket(
        stores,
        actor=cast.manager,
        now=NOW,
        source="manual",
        key="CHG-1",
        given=TicketInput(title="New form", effective_at=NOW, sops=["SOP-0001"]),
    )
    asked, meanwhile = NOW + timedelta(seconds=1), NOW + timedelta(seconds=2)
    propose_not_needed(stores, actor=cast.editor, now=meanwhile, obligation_id="OBL-0001", reason="Not here.")
    with pytest.raises(ConflictError, match="proposed this already"):
        propose_not_needed(stores, actor=cast.manager, now=asked, obligation_id="OBL-0001", reason="Never.")
    confirm_not_needed(stores, actor=cast.manager, now=meanwhile, obligation_id="OBL-0001")
    with pytest.raises(ConflictError, match="closed"):
        confirm_not_needed(stores, actor=cast.other_manager, now=asked, obligation_id="OBL-0001")
