import json
from datetime import UTC, datetime

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.errors import ForbiddenError, InvalidInputError
from sop_server.services.changes.ticket_import import import_tickets
from sop_server.services.changes.tickets import get_ticket, list_tickets
from sop_server.services.register.import_reports import ImportReport, Skipped
from sop_server.services.register.process_import import import_processes
from sop_server.services.register.processes import list_processes
from sop_server.services.stores import Stores
from tests.services.conftest import Cast, Publish

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

TICKETS = """source,key,title,status,effective_at,systems,sops
jira,CHG-1,New limit,planned,2026-03-03T10:00:00+01:00,SAP;Zendesk,SOP-0001
jira,CHG-2,,,,,
jira,CHG-3,Bad date,,tomorrow,,
jira,CHG-4,Bad SOP,,,,SOP-0077

jira,CHG-5,"Two, lines
and a SOP",done,,"SAP, Zendesk","SOP-0001, SOP-0002"
jira,CHG-6,Too,many,,cells,here,are,nine
manual,1,No SOP,,,,
"""


def tickets(stores: Stores, text: str, *, is_json: bool = False) -> ImportReport:
    return import_tickets(stores, actor=OPERATOR, now=NOW, content=text.encode(), is_json=is_json)


def processes(stores: Stores, text: str) -> ImportReport:
    return import_processes(stores, actor=OPERATOR, now=NOW, content=text.encode())


def test_a_bad_row_hides_no_good_one(stores: Stores, publish: Publish) -> None:
    publish("SOP-0001")
    publish("SOP-0002")

    report = tickets(stores, TICKETS)

    assert (report.created, report.updated, report.unchanged) == (3, 0, 0)
    assert [row.line for row in report.skipped] == [3, 4, 5, 9]
    assert "title" in report.skipped[0].reason
    assert "tomorrow" in report.skipped[1].reason
    assert "SOP-0077" in report.skipped[2].reason
    assert "9 cells for 7 columns" in report.skipped[3].reason
    first = get_ticket(stores, actor=OPERATOR, now=NOW, ticket_id="jira:CHG-1")
    assert first.effective_at == datetime(2026, 3, 3, 9, tzinfo=UTC)
    assert (first.systems, first.sops) == (("SAP", "Zendesk"), ("SOP-0001",))
    fifth = get_ticket(stores, actor=OPERATOR, now=NOW, ticket_id="jira:CHG-5")
    assert (fifth.title, fifth.status, fifth.sops) == ("Two, lines and a SOP", "done", ("SOP-0001", "SOP-0002"))


def test_a_second_run_changes_nothing(stores: Stores, publish: Publish) -> None:
    publish("SOP-0001")
    publish("SOP-0002")
    tickets(stores, TICKETS)

    again = tickets(stores, TICKETS)

    assert (again.created, again.updated, again.unchanged, len(again.skipped)) == (0, 0, 3, 4)


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("source,key,title,colour", "colour"),
        ("source,title", "key"),
        ("source,key,title,title", "title"),
        ("", "source"),
        ("\n\n", "source"),
    ],
)
def test_a_wrong_header_imports_nothing_and_names_the_columns(stores: Stores, header: str, column: str) -> None:
    with pytest.raises(InvalidInputError, match="effective_at") as refused:
        tickets(stores, f"{header}\njira,CHG-1,T,x\n")

    assert column in refused.value.fields
    assert list_tickets(stores, actor=OPERATOR, now=NOW).items == ()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_files_of_any_spreadsheet_are_read(stores: Stores, separator: str) -> None:
    rows = [["Source", "Key", " Title ", "Planned end", ""], ["jira", "CHG-1", "Grüße", "2026-03-03T10:00:00Z", ""]]
    text = "\ufeff" + "\r\n".join(separator.join(row) for row in rows)

    assert tickets(stores, text).created == 1
    ticket = get_ticket(stores, actor=OPERATOR, now=NOW, ticket_id="jira:CHG-1")
    assert (ticket.title, ticket.t0_source) == ("Grüße", "planned_end")


@pytest.mark.parametrize("content", [b"source,key,title\njira,1,Gr\xfc\xdfe\n", b"\x00\x01", b'source,key,title\n"a'])
def test_what_is_no_csv_file_is_refused_in_plain_words(stores: Stores, content: bytes) -> None:
    with pytest.raises(InvalidInputError, match="Nothing was imported"):
        import_tickets(stores, actor=OPERATOR, now=NOW, content=content, is_json=False)


def test_an_empty_file_lacks_its_header(stores: Stores) -> None:
    with pytest.raises(InvalidInputError, match="“source” is missing"):
        tickets(stores, " \n")


def test_json_says_null_where_csv_says_nothing(stores: Stores) -> None:
    one = {"source": "jira", "key": 17, "title": "T", "effective_at": "2026-03-03T10:00:00Z", "systems": ["SAP"]}
    first = tickets(stores, json.dumps([one]), is_json=True)
    cleared = tickets(stores, json.dumps({"items": [{**one, "effective_at": None}]}), is_json=True)
    csv_keeps = tickets(stores, "source,key,title,systems\njira,17,T,\n")

    assert (first.created, cleared.updated, csv_keeps.unchanged) == (1, 1, 1)
    ticket = get_ticket(stores, actor=OPERATOR, now=NOW, ticket_id="jira:17")
    assert (ticket.effective_at, ticket.systems) == (None, ("SAP",))


def test_json_rows_that_are_wrong_are_numbered(stores: Stores) -> None:
    good = {"source": "jira", "key": "1", "title": "T"}
    rows: list[object] = ["text", {**good, "systems": "SAP"}, {**good, "created_at": 5}, {**good, "title": True}, good]

    report = tickets(stores, json.dumps(rows), is_json=True)

    assert report.created == 1
    assert [row.line for row in report.skipped] == [1, 2, 3, 4]


@pytest.mark.parametrize("text", ["{", "3", '{"items": 3}', "[" * 100_000, '[{"source": "a", "kei": "b"}]'])
def test_json_that_is_no_list_of_tickets_is_refused(stores: Stores, text: str) -> None:
    with pytest.raises(InvalidInputError, match="Nothing was imported"):
        tickets(stores, text, is_json=True)


def test_more_rows_than_one_transaction_holds_are_imported(stores: Stores) -> None:
    rows = "\n".join(f"manual,{number},Change {number}" for number in range(250))

    assert tickets(stores, f"source,key,title\n{rows}\n").created == 250


def test_a_person_imports_within_their_rights(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001", department="customer-care")

    with pytest.raises(ForbiddenError):
        import_tickets(stores, actor=cast.reader, now=NOW, content=b"source,key,title", is_json=False)
    report = import_tickets(
        stores,
        actor=cast.editor,
        now=NOW,
        content=b"source,key,title,sops\nm,1,Mine,\nm,2,Not mine,SOP-0001\n",
        is_json=False,
    )
    assert report.created == 1
    assert report.skipped == (Skipped(3, "There is no SOP SOP-0001. Check the id; nothing was stored."),)


PROCESSES = """id,name,department,criticality,owner,deputy,systems
PROC-007,Pay refunds,payments,critical,Asha@Example.com,,SAP; Zendesk
,Close accounts,payments,,,,
,Odd,payments,vital,,,
PROC-X,Odd,,,,,
"""


def test_processes_are_imported_with_the_ids_they_bring(stores: Stores) -> None:
    report = processes(stores, PROCESSES)

    assert (report.created, [row.line for row in report.skipped]) == (2, [4, 5])
    found = list_processes(stores, actor=OPERATOR, now=NOW).items
    assert [(one.id, one.name, one.criticality, one.owner, one.systems) for one in found] == [
        ("PROC-001", "Close accounts", "normal", None, ()),
        ("PROC-007", "Pay refunds", "critical", "asha@example.com", ("SAP", "Zendesk")),
    ]


def test_a_second_run_knows_processes_by_id_and_by_name(stores: Stores) -> None:
    processes(stores, PROCESSES)

    again = processes(stores, PROCESSES.replace(",critical,", ",normal,").replace("vital", "normal"))

    assert (again.created, again.updated, again.unchanged, len(again.skipped)) == (1, 1, 1, 1)


def test_an_imported_number_is_not_given_again(stores: Stores) -> None:
    processes(stores, "id,name\nPROC-001,First\nPROC-002,Second\n")

    assert processes(stores, "name\nThird\n").created == 1
    assert [one.id for one in list_processes(stores, actor=OPERATOR, now=NOW).items] == [
        "PROC-001",
        "PROC-002",
        "PROC-003",
    ]
