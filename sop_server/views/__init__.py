"""The pages: each view parses, calls one service and renders."""

from flask import Flask

from sop_server.views import (
    administration,
    assets,
    break_glass,
    deviations,
    entering,
    feedback,
    findings,
    forgotten,
    hand_overs,
    history,
    home,
    leaving,
    library,
    me,
    participation,
    people,
    privacy,
    probes,
    processes,
    provider,
    recertifications,
    reports,
    review,
    search,
    second_factor,
    sign_in,
    taking_back,
    ticket_decisions,
    tickets,
    visitor,
    wording,
    writing,
)

COMING_IN = (probes, sign_in, entering, forgotten, provider)
READING_AND_WRITING = (
    home,
    library,
    history,
    participation,
    search,
    writing,
    taking_back,
    hand_overs,
    review,
    break_glass,
)
REGISTERS = (
    tickets,
    ticket_decisions,
    processes,
    feedback,
    deviations,
    findings,
    reports,
    administration,
    people,
    recertifications,
    leaving,
)
OWN_ACCOUNT = (privacy, me, second_factor)


def register(app: Flask) -> None:
    """Add the pages, and what their templates may use."""
    visitor.register(app)
    assets.register(app)
    wording.register(app)
    for page in (*COMING_IN, *READING_AND_WRITING, *REGISTERS, *OWN_ACCOUNT):
        app.register_blueprint(page.BLUEPRINT)
