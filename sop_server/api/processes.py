"""The process register: what the operation does, written down or not."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from sop_server.api.routes import Call, Reply, Route
from sop_server.api.schemas.base import Listing
from sop_server.api.schemas.processes import Process, ProcessChange, ProcessQuery, ProcessWrite
from sop_server.domain.facts import ProcessStatus
from sop_server.domain.permissions import Action
from sop_server.domain.processes import ProcessInput
from sop_server.errors import InvalidInputError
from sop_server.services.register import processes

_NOT_SAID_OF_CONTENT = {"status", "registered_at"}


def list_processes(call: Call) -> Listing[Process]:
    """List the register, by number."""
    query = call.query(ProcessQuery)
    page = processes.list_processes(
        call.stores,
        actor=call.actor,
        now=call.now,
        limit=query.limit,
        cursor=query.cursor,
        department=query.department,
        status=None if query.status is None else _status(query.status),
        documented=query.documented,
        words=query.q,
    )
    return Listing[Process](items=[Process.model_validate(item) for item in page.items], next=page.next)


def register_process(call: Call) -> Reply:
    """Add an entry to the register."""
    body = call.body(ProcessWrite)
    if body.registered_at is not None and body.registered_at > call.now:
        raise InvalidInputError(
            "A process cannot be registered in the future. Leave the instant out for “now”.",
            fields={"registered_at": "is in the future"},
        )
    added = processes.register_process(
        call.stores, actor=call.actor, now=call.now, given=_given(body), registered_at=body.registered_at
    )
    return Reply(Process.model_validate(added), status=HTTPStatus.CREATED)


def get_process(call: Call, process_id: str) -> Process:
    """Read one entry."""
    return Process.model_validate(
        processes.get_process(call.stores, actor=call.actor, now=call.now, process_id=process_id)
    )


def change_process(call: Call, process_id: str) -> Process:
    """Say what is new of a process, or that the operation no longer does it."""
    body = call.body(ProcessChange, sight=_in_sight(call, process_id))
    status = None if body.status is None else _status(body.status)
    given = _given(body)
    shown = processes.change_process(call.stores, actor=call.actor, now=call.now, process_id=process_id, given=given)
    if status not in {None, shown.status}:
        set_status = processes.retire_process if status is ProcessStatus.RETIRED else processes.reactivate_process
        shown = set_status(call.stores, actor=call.actor, now=call.now, process_id=process_id)
    return Process.model_validate(shown)


def _in_sight(call: Call, process_id: str) -> Callable[[], None]:
    def look() -> None:
        known = processes.get_process(call.stores, actor=call.actor, now=call.now, process_id=process_id)
        call.actor.require(Action.WRITE_PROCESSES, known.department)

    return look


def _given(body: ProcessChange | ProcessWrite) -> ProcessInput:
    said: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set - _NOT_SAID_OF_CONTENT}
    return ProcessInput(**said)


def _status(value: str) -> ProcessStatus:
    try:
        return ProcessStatus(value.strip().lower())
    except ValueError as exc:
        known = " or ".join(status.value for status in ProcessStatus)
        raise InvalidInputError(
            f"“{value[:40]}” is no status of a process: it is {known}. Nothing was changed.",
            fields={"status": f"must be {known}"},
        ) from exc


ROUTES = (
    Route("GET", "/processes", list_processes, Listing[Process], action=Action.READ, query=ProcessQuery),
    Route(
        "POST",
        "/processes",
        register_process,
        Process,
        action=Action.WRITE_PROCESSES,
        body=ProcessWrite,
        status=HTTPStatus.CREATED,
    ),
    Route("GET", "/processes/<process_id>", get_process, Process, action=Action.READ),
    Route(
        "PATCH", "/processes/<process_id>", change_process, Process, action=Action.WRITE_PROCESSES, body=ProcessChange
    ),
)
