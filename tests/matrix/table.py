"""The table: every page and call, and what it needs. A route that stands in no row fails, and a row without a route.

Pages have their rows here. Calls of the API have theirs where the truth stands already: `Route.action`. What cannot be
read there, since it is decided by more than the department of one thing, is said of calls here too.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from flask import Flask

from sop_server import api
from sop_server.domain.permissions import Action
from tests.matrix.needs import OPEN, OWN, SIGNED_IN, Door, Need, Where, takes

_WEBHOOKS = "/webhooks/"

PAGES: Mapping[str, Need] = MappingProxyType(
    {
        "assets.file": OPEN,
        "probes.alive": OPEN,
        "probes.ready": OPEN,
        "probes.metrics": OPEN,
        "sign_in.form": OPEN,
        "sign_in.enter": OPEN,
        "sign_in.leave": OPEN,
        "sign_in.link": OPEN,
        "sign_in.use_link": OPEN,
        "entering.code": OPEN,
        "entering.take_code": OPEN,
        "entering.set_up": OPEN,
        "entering.finish_set_up": OPEN,
        "forgotten.form": OPEN,
        "forgotten.ask": OPEN,
        "provider.begin": OPEN,
        "provider.come_back": OPEN,
        "home.index": SIGNED_IN,
        "library.index": SIGNED_IN,
        "library.sop": takes(Action.READ),
        "history.revisions": takes(Action.READ),
        "history.revision": takes(Action.READ),
        "history.compare": takes(Action.READ),
        "participation.acknowledge": takes(Action.ACKNOWLEDGE),
        "participation.pin": takes(Action.READ),
        "participation.feedback": takes(Action.REPORT),
        "participation.report": takes(Action.REPORT),
        "participation.review": takes(Action.REVIEW),
        "participation.decide": takes(Action.REVIEW),
        "search.results": takes(Action.READ),
        "search.missing": takes(Action.REPORT),
        "search.report_missing": takes(Action.REPORT),
        "writing.new": takes(Action.DRAFT),
        "writing.create": takes(Action.DRAFT),
        "writing.edit": takes(Action.DRAFT),
        "writing.start": takes(Action.DRAFT),
        "writing.draft": takes(Action.DRAFT),
        "writing.save": takes(Action.DRAFT),
        "writing.preview": takes(Action.DRAFT),
        "taking_back.retire": takes(Action.DRAFT),
        "taking_back.begin_retirement": takes(Action.DRAFT),
        "taking_back.undo": takes(Action.DRAFT),
        "taking_back.begin_undo": takes(Action.DRAFT),
        "hand_overs.index": takes(Action.DECIDE),
        "hand_overs.approve": takes(Action.DECIDE),
        "review.index": takes(Action.SEE_DRAFTS),
        "review.draft": takes(Action.SEE_DRAFTS),
        "review.submit": takes(Action.DRAFT),
        "review.withdraw": takes(Action.DRAFT),
        "review.approve": takes(Action.DECIDE, second=True),
        "review.request_changes": takes(Action.DECIDE, second=True),
        # In an emergency also what one wrote; what comes of it is for a second person.
        "break_glass.publish_alone": takes(Action.DECIDE, Where.EACH),
        "break_glass.confirm": takes(Action.DECIDE, Where.EACH, second=True),
        "break_glass.object_to": takes(Action.DECIDE, Where.EACH, second=True),
        "tickets.index": takes(Action.SEE_REPORTS),
        "tickets.new": takes(Action.WRITE_TICKETS),
        "tickets.register": takes(Action.WRITE_TICKETS),
        "tickets.ticket": takes(Action.SEE_REPORTS, Where.ANYWHERE),
        "tickets.edit": takes(Action.WRITE_TICKETS, Where.EACH),
        "tickets.change": takes(Action.WRITE_TICKETS, Where.EACH),
        "tickets.import_form": takes(Action.WRITE_TICKETS),
        "tickets.import_file": takes(Action.WRITE_TICKETS),
        "ticket_decisions.go_live": takes(Action.WRITE_TICKETS, Where.EACH),
        "ticket_decisions.correct_go_live": takes(Action.WRITE_TICKETS, Where.EACH),
        "ticket_decisions.sops": takes(Action.WRITE_TICKETS, Where.ANYWHERE),
        "ticket_decisions.name": takes(Action.WRITE_TICKETS, Where.ANYWHERE),
        "ticket_decisions.not_needed": takes(Action.PROPOSE_NOT_NEEDED),
        "ticket_decisions.propose": takes(Action.PROPOSE_NOT_NEEDED),
        "ticket_decisions.confirm_not_needed": takes(Action.CONFIRM_NOT_NEEDED, Where.EACH, second=True),
        "ticket_decisions.declining": takes(Action.CONFIRM_NOT_NEEDED, Where.EACH, second=True),
        "ticket_decisions.decline": takes(Action.CONFIRM_NOT_NEEDED, Where.EACH, second=True),
        "processes.index": SIGNED_IN,
        "processes.new": takes(Action.WRITE_PROCESSES),
        "processes.register": takes(Action.WRITE_PROCESSES),
        "processes.process": takes(Action.READ),
        "processes.edit": takes(Action.WRITE_PROCESSES),
        "processes.change": takes(Action.WRITE_PROCESSES),
        "processes.retire": takes(Action.WRITE_PROCESSES),
        "processes.reactivate": takes(Action.WRITE_PROCESSES),
        "processes.import_form": takes(Action.WRITE_PROCESSES),
        "processes.import_file": takes(Action.WRITE_PROCESSES),
        "feedback.index": SIGNED_IN,
        "feedback.report": SIGNED_IN,
        "feedback.triage": takes(Action.TRIAGE),
        "deviations.index": takes(Action.READ),
        "deviations.as_csv": takes(Action.READ),
        "deviations.deviation": takes(Action.READ),
        "deviations.new": takes(Action.PROPOSE_DEVIATION),
        "deviations.propose": takes(Action.PROPOSE_DEVIATION),
        "deviations.edit": takes(Action.PROPOSE_DEVIATION),
        "deviations.save": takes(Action.PROPOSE_DEVIATION),
        "deviations.withdraw": takes(Action.PROPOSE_DEVIATION),
        "deviations.approve": takes(Action.DECIDE_DEVIATION, second=True),
        "deviations.refuse": takes(Action.DECIDE_DEVIATION, second=True),
        "deviations.end": takes(Action.END_DEVIATION),
        "findings.index": takes(Action.SEE_REPORTS),
        "reports.index": takes(Action.SEE_REPORTS),
        "reports.drift": takes(Action.SEE_REPORTS),
        "reports.window": takes(Action.SEE_REPORTS),
        "reports.staleness": takes(Action.SEE_REPORTS),
        "reports.coverage": takes(Action.SEE_REPORTS),
        "reports.knowledge": takes(Action.SEE_REPORTS),
        "reports.feedback": takes(Action.SEE_REPORTS),
        "reports.as_json": takes(Action.SEE_REPORTS),
        "reports.as_csv": takes(Action.SEE_REPORTS),
        "reports.rows_as_csv": takes(Action.SEE_REPORTS),
        "administration.index": takes(Action.ADMINISTER),
        "administration.departments": takes(Action.ADMINISTER),
        "administration.set_department": takes(Action.ADMINISTER),
        "administration.set_team": takes(Action.ADMINISTER),
        "administration.check_stores": takes(Action.ADMINISTER, Where.ALL),
        "administration.repair_stores": takes(Action.ADMINISTER, Where.ALL),
        "administration.audit": takes(Action.SEE_AUDIT, Where.ALL),
        "administration.audit_json": takes(Action.SEE_AUDIT, Where.ALL),
        "administration.audit_csv": takes(Action.SEE_AUDIT, Where.ALL),
        "people.index": takes(Action.ADMINISTER),
        "people.new": takes(Action.ADMINISTER),
        "people.add": takes(Action.ADMINISTER),
        "people.person": takes(Action.ADMINISTER, Where.ANYWHERE),
        "people.rename": takes(Action.ADMINISTER, Where.EACH),
        "people.grant_role": takes(Action.ADMINISTER, Where.ANYWHERE),
        "people.end_role": takes(Action.ADMINISTER, Where.ANYWHERE),
        "people.set_end": takes(Action.ADMINISTER, Where.ANYWHERE),
        "people.join_team": takes(Action.ADMINISTER, Where.ANYWHERE),
        "people.leave_team": takes(Action.ADMINISTER, Where.ANYWHERE),
        "people.deactivate": takes(Action.ADMINISTER, Where.ALL),
        "people.reactivate": takes(Action.ADMINISTER, Where.ALL),
        "people.make_link": takes(Action.ADMINISTER, Where.ALL),
        "people.send_invitation": takes(Action.ADMINISTER, Where.ALL),
        "people.reset_second_factor": takes(Action.ADMINISTER, Where.ALL),
        "people.undo_provider_link": takes(Action.ADMINISTER, Where.ALL),
        "people.make_token": takes(Action.ADMINISTER, Where.ALL),
        "people.revoke": takes(Action.ADMINISTER, Where.ALL),
        "recertifications.index": takes(Action.RECERTIFY),
        "recertifications.begin": takes(Action.ADMINISTER),
        "recertifications.recertification": takes(Action.RECERTIFY),
        "recertifications.settle": takes(Action.RECERTIFY),
        "recertifications.as_csv": takes(Action.RECERTIFY),
        "privacy.my_data": SIGNED_IN,
        "privacy.their_data": takes(Action.ADMINISTER, Where.ALL),
        "privacy.form": takes(Action.ADMINISTER, Where.ALL),
        "privacy.carry_out": takes(Action.ADMINISTER, Where.ALL),
        "leaving.form": takes(Action.ADMINISTER, Where.ALL),
        "leaving.carry_out": takes(Action.ADMINISTER, Where.ALL),
        "me.account": SIGNED_IN,
        "me.password": SIGNED_IN,
        "me.end_sessions": SIGNED_IN,
        "me.away": SIGNED_IN,
        "me.back": SIGNED_IN,
        # One's own, or as an administrator anybody's; somebody else's is as unknown as none.
        "me.revoke": SIGNED_IN,
        "me.end_one_session": OWN,
        "me.needs": SIGNED_IN,
        "me.reading": SIGNED_IN,
        "second_factor.page": SIGNED_IN,
        "second_factor.begin": OWN,
        "second_factor.confirm": OWN,
        "second_factor.prove": OWN,
    }
)

CALLS: Mapping[str, Need] = MappingProxyType(
    {
        "api.openapi": OPEN,
        "api.approve_draft": takes(Action.DECIDE, second=True),
        "api.request_changes": takes(Action.DECIDE, second=True),
        "api.approve_deviation": takes(Action.DECIDE_DEVIATION, second=True),
        "api.refuse_deviation": takes(Action.DECIDE_DEVIATION, second=True),
        "api.break_glass": takes(Action.DECIDE, Where.EACH),
        "api.confirm_revision": takes(Action.DECIDE, Where.EACH, second=True),
        "api.object_to_revision": takes(Action.DECIDE, Where.EACH, second=True),
        "api.get_ticket": takes(Action.SEE_REPORTS, Where.ANYWHERE),
        "api.change_ticket": takes(Action.WRITE_TICKETS, Where.EACH),
        "api.confirm_go_live": takes(Action.WRITE_TICKETS, Where.EACH),
        "api.get_obligation": takes(Action.SEE_REPORTS, Where.ANYWHERE),
        "api.list_obligations_of_ticket": takes(Action.SEE_REPORTS, Where.ANYWHERE),
        "api.name_sop": takes(Action.WRITE_TICKETS, Where.ANYWHERE),
        "api.confirm_not_needed": takes(Action.CONFIRM_NOT_NEEDED, Where.EACH, second=True),
        "api.decline_not_needed": takes(Action.CONFIRM_NOT_NEEDED, Where.EACH, second=True),
        "api.get_feedback": takes(Action.READ, Where.ANYWHERE),
        "api.list_audit_events": takes(Action.SEE_AUDIT, Where.ALL),
        "api.export_audit_events": takes(Action.SEE_AUDIT, Where.ALL),
    }
)

WEBHOOKS: Mapping[str, Need] = MappingProxyType({})
"""The doors for machines, by endpoint; each is `SIGNED`."""


def rows() -> dict[str, Need]:
    """Return the whole table by endpoint: the pages, the calls as they are mounted, and the webhooks."""
    calls = {
        f"api.{route.view.__name__}": SIGNED_IN if route.action is None else takes(route.action)
        for routes in api.FAMILIES.values()
        for route in routes
    }
    return {**PAGES, **calls, **CALLS, **WEBHOOKS}


def faults(app: Flask, table: Mapping[str, Need]) -> Iterator[str]:
    """Say what is wrong with the table: a route in no row, a row of no route, a row that opens what is closed."""
    mounted = {rule.endpoint: rule.rule for rule in app.url_map.iter_rules()}
    for endpoint in sorted(mounted.keys() - table.keys()):
        yield f"{mounted[endpoint]} ({endpoint}) stands in no row: say in tests/matrix/table.py what it needs."
    for endpoint in sorted(table.keys() - mounted.keys()):
        yield f"{endpoint} has a row and no route: take the row out of tests/matrix/table.py."
    for endpoint in sorted(table.keys() & mounted.keys()):
        path, need = mounted[endpoint], table[endpoint]
        if path.startswith(_WEBHOOKS) != (need.door is Door.SIGNED):
            yield f"{path} ({endpoint}): what lies under {_WEBHOOKS}, and nothing else, is known by its signature."
        if path.startswith("/api/v1/") and need == SIGNED_IN and not path.startswith("/api/v1/me"):
            yield f"{path} ({endpoint}) names no action: only calls about oneself need none."
