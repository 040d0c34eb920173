"""The first page, by role: the most demanding part first."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from sop_server.domain.permissions import Action, Role
from sop_server.services.library.surrounding import names
from sop_server.services.participation.reader_home import reader_home
from sop_server.services.reports.findings import list_findings
from sop_server.services.reports.managing import manager_home
from sop_server.services.reports.needs import owner_home
from sop_server.views import departments, score_words, visitor

BLUEPRINT = Blueprint("home", __name__)

_FINDINGS = 6


@BLUEPRINT.get("/")
def index() -> ResponseReturnValue:
    """Show what needs the person, how the library does, and what there is to read; only what applies."""
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    works = actor.may_anywhere(Action.SEE_DRAFTS)
    manages = actor.may_anywhere(Action.SCORE)
    recertifies = actor.may_anywhere(Action.RECERTIFY)
    owner = owner_home(stores, actor=actor, now=now) if works or manages or recertifies else None
    if owner and not (works or manages or owner.needs):
        owner = None
    manager = manager_home(stores, actor=actor, now=now) if manages else None
    reader = reader_home(stores, actor=actor, now=now)
    reads = any(grant.role is Role.READER for grant in actor.grants) or not (works or manages)
    return render_template(
        "home/index.html",
        works=works,
        owner=owner,
        manager=manager,
        months=score_words.months(manager) if manager else [],
        sentences=score_words.sentences(manager) if manager else [],
        findings=list_findings(stores, actor=actor)[:_FINDINGS] if manages else [],
        reads=reads,
        reader=reader,
        owners=names(stores, emails=[one.owner for one in owner.mine]) if owner else {},
        needs_me_count=(len(owner.needs) if owner else 0) + len(reader.to_read),
        row=departments.row(),
        department_names=departments.named(),
    )
