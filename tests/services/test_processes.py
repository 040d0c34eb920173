from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.facts import ProcessStatus
from sop_server.domain.permissions import Actor
from sop_server.domain.processes import ProcessInput
from sop_server.domain.roles import parse_grant
from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from sop_server.services.accounts.people import add_person
from sop_server.services.register.process_history import process_history
from sop_server.services.register.process_import import import_processes
from sop_server.services.register.processes import (
    ProcessView,
    change_process,
    get_process,
    list_processes,
    reactivate_process,
    register_process,
    retire_process,
)
from sop_server.services.stores import Stores
from sop_server.storage import people
from sop_server.storage import processes as stored
from tests.services.conftest import Cast, Publish

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=3)


def register(stores: Stores, name: str = "Pay refunds", department: str | None = "payments") -> ProcessView:
    given = ProcessInput(name=name, department=department, systems=["SAP"])
    return register_process(stores, actor=OPERATOR, now=NOW, given=given)


def test_a_process_gets_the_next_id(stores: Stores, cast: Cast) -> None:
    first = register_process(
        stores,
        actor=cast.manager,
        now=NOW,
        given=ProcessInput(
            name="Pay  refunds", department="payments", criticality="critical", owner="ASHA@example.com"
        ),
    )

    assert first.id == "PROC-001"
    assert (first.name, first.criticality, first.owner, first.status) == (
        "Pay refunds",
        "critical",
        "asha@example.com",
        "active",
    )
    assert (first.registered_at, first.documented, first.sops) == (NOW, False, ())
    assert register(stores).id == "PROC-002"


def test_every_wrong_field_of_a_process_is_named(stores: Stores, cast: Cast) -> None:
    with pytest.raises(InvalidInputError) as refused:
        register_process(
            stores,
            actor=cast.manager,
            now=NOW,
            given=ProcessInput(name="", department="Pay ments", criticality="vital", owner="asha", deputy="@"),
        )

    assert set(refused.value.fields) == {"name", "department", "criticality", "owner", "deputy"}


def test_a_change_is_a_new_version_and_the_old_one_stays(stores: Stores, cast: Cast) -> None:
    register(stores)
    changed = change_process(
        stores, actor=cast.manager, now=LATER, process_id="PROC-001", given=ProcessInput(owner="ben@example.com")
    )
    change_process(
        stores, actor=cast.manager, now=LATER, process_id="PROC-001", given=ProcessInput(owner="ben@example.com")
    )

    assert (changed.name, changed.systems, changed.owner) == ("Pay refunds", ("SAP",), "ben@example.com")
    assert get_process(stores, actor=cast.manager, now=NOW, process_id="PROC-001").owner is None
    with stores.database.read() as session:
        assert len(stored.versions(session, "PROC-001")) == 2, "saying it again is no change"


def test_who_may_change_the_register(stores: Stores, cast: Cast) -> None:
    register(stores)

    for actor in (cast.reader, cast.editor, cast.approver, cast.admin, cast.nobody):
        with pytest.raises(ForbiddenError):
            register_process(stores, actor=actor, now=NOW, given=ProcessInput(name="X", department="payments"))
        with pytest.raises(ForbiddenError):
            change_process(stores, actor=actor, now=NOW, process_id="PROC-001", given=ProcessInput(name="X"))
        with pytest.raises(ForbiddenError):
            retire_process(stores, actor=actor, now=NOW, process_id="PROC-001")
    with pytest.raises(NotFoundError):
        change_process(stores, actor=cast.manager, now=NOW, process_id="PROC-999", given=ProcessInput(name="X"))


def test_a_manager_of_one_department_takes_no_process_from_another(stores: Stores, cast: Cast) -> None:
    register(stores, department="payments")
    added = add_person(stores, actor=OPERATOR, now=NOW, email="l@example.com", name="L", roles=["manager@claims"])
    with stores.database.read() as session:
        local = people.load_actor(session, added.person.id, NOW)
    assert local is not None

    for department in ("claims", "payments"):
        with pytest.raises(NotFoundError):
            change_process(
                stores, actor=local, now=NOW, process_id="PROC-001", given=ProcessInput(department=department)
            )
    with pytest.raises(ForbiddenError):
        register_process(stores, actor=local, now=NOW, given=ProcessInput(name="X", department="payments"))
    mine = register_process(stores, actor=local, now=NOW, given=ProcessInput(name="X", department="claims"))
    assert mine.department == "claims"


def test_retiring_and_taking_up_again(stores: Stores, cast: Cast) -> None:
    register(stores)

    retired = retire_process(stores, actor=cast.manager, now=LATER, process_id="PROC-001")
    assert retired.status is ProcessStatus.RETIRED
    with pytest.raises(ConflictError):
        retire_process(stores, actor=cast.manager, now=LATER, process_id="PROC-001")
    assert get_process(stores, actor=cast.manager, now=NOW, process_id="PROC-001").status == "active"
    back = reactivate_process(stores, actor=cast.manager, now=LATER, process_id="PROC-001")
    assert back.status is ProcessStatus.ACTIVE


def test_the_register_shows_which_sops_document_what(stores: Stores, cast: Cast, publish: Publish) -> None:
    for name, department in (("Refunds", "payments"), ("Calls", "customer-care"), ("Anything", None)):
        register(stores, name, department)
    publish("SOP-0001", processes=("PROC-001", "PROC-002"))
    publish("SOP-0002", department="customer-care", processes=("PROC-002",))
    publish("SOP-0003", at=LATER, processes=("PROC-003",))

    def shown(**wanted: object) -> dict[str, tuple[str, ...]]:
        page = list_processes(stores, actor=cast.manager, now=NOW, **wanted)  # type: ignore[arg-type]
        return {one.id: one.sops for one in page.items}

    assert shown() == {"PROC-001": ("SOP-0001",), "PROC-002": ("SOP-0001", "SOP-0002"), "PROC-003": ()}
    assert shown(documented=False) == {"PROC-003": ()}
    assert shown(department="payments").keys() == {"PROC-001"}
    assert shown(words="CALL").keys() == {"PROC-002"}
    assert shown(limit=1, cursor="1").keys() == {"PROC-002"}
    care = {one.id: (one.sops, one.documented) for one in list_processes(stores, actor=cast.care_editor, now=NOW).items}
    assert care == {"PROC-002": (("SOP-0002",), True)}, "documented, by one that they may not read too"


def test_a_process_exists_for_those_who_have_a_role_in_its_department(stores: Stores, cast: Cast) -> None:
    for name, department in (("Refunds", "payments"), ("Calls", "customer-care"), ("Anything", None)):
        register(stores, name, department)

    def shown(actor: Actor) -> list[str]:
        listed = [one.id for one in list_processes(stores, actor=actor, now=NOW).items]
        for number in range(1, 4):
            name = f"PROC-{number:03d}"
            if name in listed:
                assert get_process(stores, actor=actor, now=NOW, process_id=name).id == name
                assert process_history(stores, actor=actor, now=NOW, process_id=name)
                continue
            with pytest.raises(NotFoundError):
                get_process(stores, actor=actor, now=NOW, process_id=name)
            with pytest.raises(NotFoundError):
                process_history(stores, actor=actor, now=NOW, process_id=name)
        return listed

    assert shown(cast.reader) == shown(cast.editor) == shown(cast.approver) == ["PROC-001"]
    assert shown(cast.care_editor) == ["PROC-002"]
    assert shown(cast.manager) == ["PROC-001", "PROC-002", "PROC-003"], "what has no department takes a role for all"
    assert shown(cast.nobody) == []


def test_an_import_does_not_reach_into_another_department(stores: Stores, cast: Cast) -> None:
    register(stores, "Refunds", "payments")
    local = replace(cast.editor, grants=frozenset({parse_grant("manager@claims")}))

    report = import_processes(
        stores, actor=local, now=NOW, content=b"id,name,department\nPROC-001,Intake,claims\n,Refunds,claims\n"
    )

    assert (report.created, report.updated) == (1, 0)
    (skipped,) = report.skipped
    assert "PROC-001 cannot be given to this process." in skipped.reason
    assert "payments" not in skipped.reason
    assert get_process(stores, actor=cast.manager, now=NOW, process_id="PROC-001").name == "Refunds"
