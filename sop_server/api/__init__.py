"""The JSON API: each view parses, calls one service and answers with one schema."""

from flask import Blueprint, Flask

from sop_server.api import (
    break_glass,
    deviations,
    door,
    drafts,
    me,
    obligations,
    openapi,
    participation,
    processes,
    recertifications,
    registers,
    reports,
    search,
    sops,
    tickets,
)
from sop_server.api.routes import mount

FAMILIES = {
    "SOPs": sops.ROUTES,
    "Search": search.ROUTES,
    "Drafts": drafts.ROUTES,
    "Break-glass": break_glass.ROUTES,
    "Tickets": tickets.ROUTES,
    "Obligations": obligations.ROUTES,
    "Processes": processes.ROUTES,
    "Participation": participation.ROUTES,
    "Deviations": deviations.ROUTES,
    "Reports": reports.ROUTES,
    "Re-certification": recertifications.ROUTES,
    "Registers": registers.ROUTES,
    "Oneself": me.ROUTES,
}


def register(app: Flask) -> None:
    """Add the calls under `/api/v1`, and the document that describes them."""
    door.register(app)
    blueprint = Blueprint("api", __name__, url_prefix=door.PREFIX)
    for routes in FAMILIES.values():
        mount(blueprint, routes)
    openapi.serve_document(blueprint, FAMILIES)
    app.register_blueprint(blueprint)
