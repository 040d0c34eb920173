"""The process register: what the operation does, whether or not anybody wrote it down."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sop_server.domain.facts import ProcessStatus
from sop_server.domain.permissions import Action
from sop_server.domain.processes import ProcessInput
from sop_server.errors import ConflictError
from sop_server.services.library.surrounding import names
from sop_server.services.register.process_history import process_history
from sop_server.services.register.process_import import OPTIONAL, REQUIRED, import_processes
from sop_server.services.register.processes import (
    ProcessView,
    change_process,
    get_process,
    list_processes,
    reactivate_process,
    register_process,
    retire_process,
)
from sop_server.views import departments, fields, refusals, uploads, visitor
from sop_server.views.refusals import REFUSED, Refusal, refusal

BLUEPRINT = Blueprint("processes", __name__, url_prefix="/processes")

CRITICALITIES = (
    ("normal", "Normal", "It weighs once in coverage and score."),
    ("critical", "Critical", "It weighs three times, and caps the score at 7.0 while nobody has written it down."),
)
_WRITTEN = {"yes": True, "no": False}


@BLUEPRINT.get("/")
def index() -> ResponseReturnValue:
    """List the register by number, with the SOPs that document each process."""
    chosen: dict[str, Any] = {
        name: fields.choice(request.args, name) for name in ("department", "written", "status", "q")
    }
    status = {"retired": ProcessStatus.RETIRED, "all": None}.get(chosen["status"], ProcessStatus.ACTIVE)
    page = list_processes(
        visitor.stores(),
        actor=visitor.actor(),
        now=visitor.now(),
        cursor=fields.choice(request.args, "cursor"),
        department=chosen["department"],
        status=status,
        documented=_WRITTEN.get(chosen["written"]),
        words=chosen["q"],
    )
    return render_template(
        "processes/index.html",
        processes=page.items,
        chosen=chosen,
        departments=departments.named(),
        people=names(visitor.stores(), emails=[one.owner for one in page.items]),
        may_write=visitor.actor().may_anywhere(Action.WRITE_PROCESSES),
        following=page.next and url_for(".index", **chosen, cursor=page.next),
        earlier="cursor" in request.args and url_for(".index", **chosen),
    )


@BLUEPRINT.get("/new")
def new() -> ResponseReturnValue:
    """Ask for a process that the register lacks."""
    visitor.actor().require_anywhere(Action.WRITE_PROCESSES)
    return _form({"name": fields.text(request.args, "name"), "criticality": "normal"}, refusals.NONE)


@BLUEPRINT.post("/new")
def register() -> ResponseReturnValue:
    """Add a process to the register."""
    try:
        found = register_process(visitor.stores(), actor=visitor.actor(), now=visitor.now(), given=_given(request.form))
    except REFUSED as error:
        return _form(request.form, refusal(error))
    flash(f"{found.id} “{found.name}” is registered. It counts as undocumented after 14 days without a SOP.", "done")
    return redirect(url_for(".process", process_id=found.id), 303)


@BLUEPRINT.get("/<process_id>")
def process(process_id: str) -> ResponseReturnValue:
    """Show one process: who cares for it, what documents it, what was said of it before."""
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    found = get_process(stores, actor=actor, now=now, process_id=process_id)
    history = process_history(stores, actor=actor, now=now, process_id=process_id)
    return render_template(
        "processes/process.html",
        process=found,
        history=history,
        people=names(stores, emails=[email for one in history for email in (one.owner, one.deputy)]),
        departments=departments.named(),
        may_write=actor.may(Action.WRITE_PROCESSES, found.department),
        may_draft=actor.may(Action.DRAFT, found.department),
    )


@BLUEPRINT.get("/<process_id>/edit")
def edit(process_id: str) -> ResponseReturnValue:
    """Ask what is new of a process."""
    known, version = _known(process_id)
    visitor.actor().require(Action.WRITE_PROCESSES, known.department)
    typed = {
        "name": known.name,
        "department": known.department or "",
        "criticality": known.criticality.value,
        "owner": known.owner or "",
        "deputy": known.deputy or "",
        "systems": ", ".join(known.systems),
        "version": version,
    }
    return _form(typed, refusals.NONE, known)


@BLUEPRINT.post("/<process_id>/edit")
def change(process_id: str) -> ResponseReturnValue:
    """Take what is new of a process."""
    known, version = _known(process_id)
    visitor.actor().require(Action.WRITE_PROCESSES, known.department)
    try:
        if request.form.get("version") != version:
            raise ConflictError(
                "Somebody changed this process while you were editing it. Nothing of yours was stored; it stands "
                "below as you typed it. Look at the process in another tab, then send this again."
            )
        change_process(
            visitor.stores(),
            actor=visitor.actor(),
            now=visitor.now(),
            process_id=process_id,
            given=_given(request.form),
        )
    except REFUSED as error:
        # What stands there now is what the next attempt is held against.
        return _form({**request.form, "version": version}, refusal(error), known)
    flash(f"{process_id} is changed. What was said before stays in its history.", "done")
    return redirect(url_for(".process", process_id=process_id), 303)


@BLUEPRINT.post("/<process_id>/retire")
def retire(process_id: str) -> ResponseReturnValue:
    """Say that the operation no longer does it."""
    found = retire_process(visitor.stores(), actor=visitor.actor(), now=visitor.now(), process_id=process_id)
    flash(f"{found.id} is retired: it counts no more from now on. Its history stays.", "done")
    return redirect(url_for(".process", process_id=process_id), 303)


@BLUEPRINT.post("/<process_id>/reactivate")
def reactivate(process_id: str) -> ResponseReturnValue:
    """Say that the operation does it again."""
    found = reactivate_process(visitor.stores(), actor=visitor.actor(), now=visitor.now(), process_id=process_id)
    flash(f"{found.id} is active again.", "done")
    return redirect(url_for(".process", process_id=process_id), 303)


@BLUEPRINT.get("/import")
def import_form() -> ResponseReturnValue:
    """Ask for a file of processes."""
    visitor.actor().require_anywhere(Action.WRITE_PROCESSES)
    return _import_page(refusals.NONE)


@BLUEPRINT.post("/import")
def import_file() -> ResponseReturnValue:
    """Take the good rows of a file, and name the others with the reason."""
    actor = visitor.actor()
    actor.require_anywhere(Action.WRITE_PROCESSES)
    try:
        given = uploads.file(request.files, "file")
        report = import_processes(visitor.stores(), actor=actor, now=visitor.now(), content=given.content)
    except REFUSED as error:
        return _import_page(refusal(error))
    return render_template("processes/imported.html", report=report, name=given.name)


def _import_page(refused: Refusal) -> ResponseReturnValue:
    page = render_template("processes/import.html", refused=refused, required=REQUIRED, optional=OPTIONAL)
    return page, refused.status


def _known(process_id: str) -> tuple[ProcessView, str]:
    """Return a process, and which of its versions that is."""
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    known = get_process(stores, actor=actor, now=now, process_id=process_id)
    return known, str(len(process_history(stores, actor=actor, now=now, process_id=process_id)))


def _form(typed: Mapping[str, Any], refused: Refusal, known: ProcessView | None = None) -> ResponseReturnValue:
    page = render_template(
        "processes/form.html",
        typed=typed,
        refused=refused,
        known=known,
        criticalities=CRITICALITIES,
        departments=departments.named(),
    )
    return page, refused.status


def _given(form: Mapping[str, str]) -> ProcessInput:
    return ProcessInput(
        name=form.get("name", ""),
        department=fields.choice(form, "department"),
        criticality=fields.choice(form, "criticality"),
        owner=fields.choice(form, "owner"),
        deputy=fields.choice(form, "deputy"),
        systems=fields.names(form, "systems"),
    )
