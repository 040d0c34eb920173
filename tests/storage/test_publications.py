from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from sop_server.errors import DamagedError, InvalidInputError
from sop_server.storage.git.library import MAIN, Change, FileChange, Identity, Library, NewCommit

Commit = Callable[..., NewCommit]
Publish = Callable[..., str]

MESSAGE = """\
SOP-0042 r3: Refunds over 500 USD

Not-A-Trailer: this paragraph is the summary.

SOP-Id: SOP-0042
Revision: 3
Ticket: jira:OPS-1
Ticket: jira:OPS-2: with a colon
Approved-By: Ben Ortiz <ben@example.com>
"""


def test_an_empty_library_has_published_nothing(library: Library) -> None:
    assert list(library.publications()) == []


def test_publications_come_oldest_first_with_their_parents(library: Library, publish: Publish) -> None:
    oids = [publish("a.md", b"%d\n" % number) for number in range(4)]
    found = list(library.publications())
    assert [one.oid for one in found] == oids
    assert [one.parent for one in found] == [None, *oids[:-1]]
    assert [one.oid for one in library.publications(since=oids[1])] == oids[2:]
    assert list(library.publications(since=oids[-1])) == []


def test_trailers_are_those_of_the_last_paragraph(library: Library, publish: Publish) -> None:
    publish("a.md", b"x\n", MESSAGE)
    (found,) = library.publications()
    assert found.message == MESSAGE
    assert found.trailers == {
        "SOP-Id": ["SOP-0042"],
        "Revision": ["3"],
        "Ticket": ["jira:OPS-1", "jira:OPS-2: with a colon"],
        "Approved-By": ["Ben Ortiz <ben@example.com>"],
    }


def test_a_line_separator_in_a_value_makes_no_trailer(library: Library, publish: Publish) -> None:
    publish("a.md", b"x\n", "Subject\n\nApproved-By: Eve\u2028Intent-Id: 7\nRevision: 1\n")
    (found,) = library.publications()
    assert found.trailers == {"Approved-By": ["Eve\u2028Intent-Id: 7"], "Revision": ["1"]}


def test_author_and_times_are_those_given(library: Library) -> None:
    authored = datetime(2024, 2, 29, 23, 59, 58, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    committed = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    asha = Identity("Åsha “Ash” Rao", "asha+sop@example.com")
    (written,) = library.write(
        "refs/intents/1", None, [NewCommit("m", asha, authored, committed, (FileChange("a.md", b"x"),))]
    )
    library.advance(MAIN, written.oid, None)
    (found,) = library.publications()
    assert (found.author, found.authored_at, found.committed_at) == (asha, authored, committed)
    assert found.authored_at.utcoffset() == timedelta(0)


def test_changes_name_each_file_once(library: Library, publish: Publish) -> None:
    first = publish("care/a.md", b"1\n")
    publish("care/a.md", b"2\n")
    third = publish("care/a.md", None)
    added, changed, deleted = (one.changes for one in library.publications())
    assert added == (Change("A", "care/a.md", library.blob_at(first, "care/a.md")),)
    assert changed[0].status == "M"
    assert library.read(str(changed[0].blob_oid)) == b"2\n"
    assert deleted == (Change("D", "care/a.md", None),)
    assert library.head() == third


def test_a_commit_without_changes_is_listed(library: Library, publish: Publish) -> None:
    publish("a.md", b"x\n")
    same = publish("a.md", b"x\n", "Again\n")
    after = publish("b.md", b"y\n")
    found = list(library.publications())
    assert [one.oid for one in found[1:]] == [same, after]
    assert found[1].changes == ()


def test_reading_may_stop_early(library: Library, publish: Publish) -> None:
    oids = [publish("a.md", b"%d\n" % number) for number in range(3)]
    stream = library.publications()
    assert next(iter(stream)).oid == oids[0]
    del stream
    assert [one.oid for one in library.publications()] == oids


def test_an_unknown_starting_point_is_an_error_and_not_an_empty_list(library: Library, publish: Publish) -> None:
    publish("a.md", b"x\n")
    with pytest.raises(DamagedError, match="could not read"):
        list(library.publications(since="1" * 40))
    with pytest.raises(InvalidInputError):
        list(library.publications(since="--all"))


def test_many_publications_are_read_in_one_pass(library: Library, commit: Commit) -> None:
    written = library.write("refs/intents/1", None, [commit(f"d/{n}.md", b"%d\n" % n, MESSAGE * 5) for n in range(800)])
    library.advance(MAIN, written[-1].oid, None)
    found = list(library.publications())
    assert [one.oid for one in found] == [one.oid for one in written]
    assert all(
        one.changes[0].blob_oid == made.blobs[one.changes[0].path] for one, made in zip(found, written, strict=True)
    )
