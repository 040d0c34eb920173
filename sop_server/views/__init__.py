"""The pages: each view parses, calls one service and renders."""

from flask import Flask

from sop_server.views import (
    administration,
    assets,
    feedback,
    findings,
    history,
    home,
    library,
    me,
    participation,
    people,
    probes,
    processes,
    reports,
    review,
    search,
    sign_in,
    taking_back,
    ticket_decisions,
    tickets,
    visitor,
    wording,
    writing,
)

READING_AND_WRITING = (probes, sign_in, home, library, history, participation, search, writing, taking_back, review)
REGISTERS = (tickets, ticket_decisions, processes, feedback, findings, reports, administration, people, me)


def register(app: Flask) -> None:
    """Add the pages, and what their templates may use."""
    visitor.register(app)
    assets.register(app)
    wording.register(app)
    for page in (*READING_AND_WRITING, *REGISTERS):
        app.register_blueprint(page.BLUEPRINT)
