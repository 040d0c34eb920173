"""Many people at once on two processes of four threads, one of which is killed: nothing twice, nothing lost."""

import os
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from tests.journeys.conftest import Door, Server, text, within_patience

DRAFTS = 20
# Between the steps stands what nobody changes, so that no two changes touch.
LONG = text("Twenty steps").partition("1. Open")[0] + "\n".join(
    f"Step {number} as it was.\n\nKept {number}.\n\nKept {number} too.\n" for number in range(DRAFTS)
)


def at_once(calls: Sequence[Callable[[], requests.Response]]) -> list[requests.Response]:
    """Make all calls at the same instant, each in a thread of its own."""
    gate = threading.Barrier(len(calls))

    def made(call: Callable[[], requests.Response]) -> requests.Response:
        gate.wait(timeout=60)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        answers = list(pool.map(made, calls))
    assert [answer.text for answer in answers if answer.status_code >= 500] == []
    return answers


def calling(door: Door, method: str, path: str, **kwargs: Any) -> Callable[[], requests.Response]:
    return lambda: door.answer(method, path, **kwargs)


def deciding(door: Door, draft: dict[str, Any]) -> Callable[[], requests.Response]:
    return calling(door, "POST", f"/drafts/{draft['id']}/approve", json={"content_hash": draft["content_hash"]})


@dataclass
class Readers:
    """People who read all the time; `failures` are the answers that none of them should have got."""

    failures: list[str] = field(default_factory=list)
    reads: int = 0


@contextmanager
def reading(server: Server, paths: Sequence[str]) -> Iterator[Readers]:
    """Let readers read while others write."""
    told = Readers()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            for path in paths:
                try:
                    answer = server.doors["editor"].answer("GET", path)
                except requests.ConnectionError as error:
                    told.failures.append(f"{path}: {error}")
                    continue
                told.reads += 1
                if not answer.ok:
                    told.failures.append(f"{path}: {answer.status_code} {answer.text[:200]}")

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield told
    finally:
        done.set()
        for thread in threads:
            thread.join()


def workers(server: Server) -> set[int]:
    """Return the processes that answer, as the system knows them."""
    told = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(server.process.pid)], capture_output=True, text=True, check=False
    )
    return {int(number) for number in told.stdout.split()}


def test_one_of_eight_approvals_at_once_publishes(server: Server) -> None:
    draft = server.doors["editor"].draft(text("Eight at once"))
    approvers = [server.doors[name] for name in ("approver", "second_approver", "care_approver", "approver")] * 2
    answers = at_once([deciding(door, draft) for door in approvers])
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}
    revisions = server.doors["reader"]("GET", f"/sops/{draft['sop_id']}/revisions")["items"]
    assert [one["revision"] for one in revisions] == [1]
    assert len(revisions[0]["approvals"]) == 1


def test_twenty_drafts_from_one_base_are_all_published_each_with_every_other(server: Server) -> None:
    editor, approver = server.doors["editor"], server.doors["approver"]
    sop_id = server.published(LONG)["sop_id"]
    own = [LONG.replace(f"Step {n} as it was", f"Step {n} by somebody else") for n in range(DRAFTS)]
    waiting = [editor.draft(content, sop_id=sop_id) for content in own]
    numbers: list[int] = []
    paths = (f"/sops/{sop_id}", f"/sops/{sop_id}/revisions", "/search?q=steps", "/reports/drift", "/drafts?limit=200")
    with reading(server, paths) as readers:
        together, idle = DRAFTS, 0
        while waiting:
            now, later = waiting[:together], waiting[together:]
            answers = at_once([deciding(approver, draft) for draft in now])
            again = []
            for draft, answer in zip(now, answers, strict=True):
                told = answer.json()
                if answer.status_code == 200:
                    assert told["state"] == "published"
                    numbers.append(told["revision"])
                else:
                    assert answer.status_code == 409, answer.text
                    again.append({**draft, "content_hash": told["content_hash"]})
            # Where the last one of a round published, the others were merged before and have to be once more.
            idle = idle + 1 if len(again) == len(now) else 0
            assert idle <= 1
            waiting, together = [*again, *later], 5
    assert readers.failures == []
    assert readers.reads > 0
    assert sorted(numbers) == list(range(2, DRAFTS + 2))
    now_in_force = server.doors["reader"]("GET", f"/sops/{sop_id}")
    assert now_in_force["revision"] == DRAFTS + 1
    for number in range(DRAFTS):
        assert f"Step {number} by somebody else." in now_in_force["markdown"]
    starts = [one["effective_from"] for one in server.doors["reader"]("GET", f"/sops/{sop_id}/revisions")["items"]]
    assert starts == sorted(starts, reverse=True)


def test_thirty_new_sops_at_once_get_thirty_ids_and_none_is_left_out(server: Server) -> None:
    editor = server.doors["editor"]
    body = {"change_summary": "New.", "significance": "major"}
    before = editor("POST", "/drafts", 201, json={"content": text("Before"), **body})["sop_id"]
    answers = at_once(
        [calling(editor, "POST", "/drafts", json={"content": text("Same title"), **body}) for _ in range(30)]
    )
    assert {answer.status_code for answer in answers} == {201}
    drafts = [answer.json() for answer in answers]
    first = int(before[4:]) + 1
    assert sorted(int(one["sop_id"][4:]) for one in drafts) == list(range(first, first + 30))
    assert all(f"id: {one['sop_id']}\n" in one["content"] for one in drafts)
    for one in drafts[:8]:
        editor("POST", f"/drafts/{one['id']}/submit")
    published = at_once([deciding(server.doors["approver"], one) for one in drafts[:8]])
    assert {answer.status_code for answer in published} == {200}
    paths = {server.doors["reader"]("GET", f"/sops/{one['sop_id']}")["path"] for one in drafts[:8]}
    assert len(paths) == 8


def test_one_of_two_savings_with_the_same_tag_is_refused_and_its_text_stored_over_nobodys(server: Server) -> None:
    editor, second = server.doors["editor"], server.doors["second_editor"]
    draft = editor(
        "POST", "/drafts", 201, json={"content": text("Tag"), "change_summary": "x", "significance": "minor"}
    )
    where = f"/drafts/{draft['id']}"
    tag = editor.answer("GET", where).headers["ETag"]
    answers = at_once(
        [
            calling(door, "PUT", where, json={"content": text("Tag", amount=amount)}, headers={"If-Match": tag})
            for door, amount in ((editor, 111), (second, 222))
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    won = next(answer for answer in answers if answer.status_code == 200)
    kept = editor.answer("GET", where)
    assert kept.json() == won.json()
    assert kept.headers["ETag"] == won.headers["ETag"] != tag


def test_a_ticket_said_by_many_at_once_is_one_ticket_with_all_that_they_said(server: Server) -> None:
    editor = server.doors["editor"]
    ids = [server.published(text(f"Ticket {n}"))["sop_id"] for n in range(4)]
    given = {"source": "jira", "key": "RACE-1", "title": "One"}
    answers = at_once([calling(editor, "POST", "/tickets", json={**given, "sops": [ids[n % 4]]}) for n in range(12)])
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 11}
    assert len({answer.json()["id"] for answer in answers}) == 1
    ticket = editor("GET", "/tickets/jira:RACE-1")
    assert sorted(one["sop_id"] for one in ticket["obligations"]) == sorted(ids)


def test_of_proposals_and_confirmations_at_once_one_counts(server: Server) -> None:
    editor = server.doors["editor"]
    sop_id = server.published(text("Not needed"))["sop_id"]
    ticket = editor("POST", "/tickets", json={"source": "manual", "key": "NN-1", "title": "Not here", "sops": [sop_id]})
    obligation = f"/obligations/{ticket['obligations'][0]['id']}"
    proposers = [server.doors[name] for name in ("editor", "second_editor", "manager")]
    proposed = at_once(
        [calling(door, "POST", f"{obligation}/not-needed", json={"reason": "No."}) for door in proposers]
    )
    assert Counter(answer.status_code for answer in proposed) == {200: 1, 409: 2}
    confirmers = [server.doors[name] for name in ("approver", "second_approver", "second_manager", "care_approver")]
    confirmed = at_once([calling(door, "POST", f"{obligation}/confirm") for door in confirmers])
    assert Counter(answer.status_code for answer in confirmed) == {200: 1, 409: 3}
    assert editor("GET", obligation)["state"] == "not_needed"


def test_an_acknowledgement_counts_once_and_only_for_what_is_in_force(server: Server) -> None:
    reader = server.doors["reader"]
    sop_id = server.published(text("Acknowledge"))["sop_id"]
    where = f"/sops/{sop_id}/acknowledgements"
    answers = at_once([calling(reader, "POST", where, json={"revision": 1}) for _ in range(8)])
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 7}
    draft = server.doors["editor"].draft(text("Acknowledge", amount=9), sop_id=sop_id)
    others = [server.doors[name] for name in ("editor", "approver", "manager", "second_editor")]
    race = at_once(
        [
            deciding(server.doors["second_approver"], draft),
            *(calling(door, "POST", where, json={"revision": number}) for door in others for number in (1, 2)),
        ]
    )
    assert race[0].status_code == 200
    assert {answer.status_code for answer in race[1:]} <= {201, 409}
    assert reader("POST", where, 409, json={"revision": 1})["status"] == 409
    reader("POST", where, 201, json={"revision": 2})


def test_a_process_that_is_killed_takes_nothing_with_it(server: Server) -> None:
    editor, approver = server.doors["editor"], server.doors["approver"]
    drafts = [editor.draft(text(f"Killed {n}")) for n in range(10)]
    before = workers(server)
    assert len(before) == 2
    victim = min(before)
    promised: dict[str, int] = {}
    lost: list[str] = []

    def decide(draft: dict[str, Any]) -> None:
        try:
            answer = deciding(approver, draft)()
        except requests.ConnectionError:
            lost.append(draft["id"])
            return
        if answer.ok:
            promised[draft["sop_id"]] = answer.json()["revision"]
            if len(promised) == 3:
                os.kill(victim, signal.SIGKILL)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(decide, drafts))
    within_patience(lambda: len(workers(server) - {victim}) == 2, "no new process took the place of the killed one")

    for sop_id, revision in promised.items():
        assert editor("GET", f"/sops/{sop_id}")["revision"] == revision
    for draft in drafts:
        kept = editor("GET", f"/drafts/{draft['id']}")
        if kept["state"] != "published":
            # Whoever got no answer looks, and decides again.
            answer = deciding(approver, kept)()
            assert answer.status_code in {200, 409}, answer.text
        revisions = editor("GET", f"/sops/{draft['sop_id']}/revisions")["items"]
        assert [one["revision"] for one in revisions] == [1]
    assert len(promised) + len(lost) == len(drafts)


@pytest.fixture(scope="module", autouse=True)
def agreement(server: Server) -> Iterator[None]:
    """At the end of the day nothing is left to mend."""
    yield
    told = server.run("check")
    assert told.returncode == 0, told.stdout + told.stderr
