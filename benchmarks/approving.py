"""From the last approval to in force: the libraries by turns, so that a busy moment of the machine hits each alike."""

from collections.abc import Iterator, Sequence
from functools import partial

from benchmarks import texts
from benchmarks.libraries import Library
from benchmarks.measuring import Act, Figure, Taken, milliseconds, taken_by
from sop_server.services.drafts.approving import Approved, approve
from sop_server.services.drafts.drafting import DraftInput, create_draft, submit_draft

APPROVE_AIM = 60.0

_WARM = 3
_ROUNDS = 30


def figures(libraries: Sequence[Library]) -> Iterator[Figure]:
    """Measure approvals, one in each library by turns."""
    taken: dict[int, list[Taken]] = {library.sops: [] for library in libraries}
    rounds = max(library.samples(_ROUNDS) for library in libraries)
    for turn in range(_WARM + rounds):
        numbers = {library.sops: 3 + 2 * (turn % (library.sops // 2 - 1)) for library in libraries}
        waiting = {one.sops: _in_review(one, numbers[one.sops], change=2 + turn) for one in libraries}
        for sops, act in waiting.items():
            taken[sops].append(taken_by(act))
    for sops, times in taken.items():
        yield milliseconds("approve → in force, service", sops, times[_WARM:], aim=APPROVE_AIM)


def _in_review(library: Library, number: int, *, change: int) -> Act:
    stores, sop_id = library.stores, texts.sop_id(number)
    text = texts.sop_text(number, sops=library.sops, change=change)
    draft = create_draft(
        stores,
        actor=library.cast["editor"],
        given=DraftInput(content=text, change_summary="The button has another name.", significance="minor"),
        now=stores.clock(),
        sop_id=sop_id,
    )
    submit_draft(stores, actor=library.cast["editor"], draft_id=draft.id, now=stores.clock())
    return partial(_approve, library, draft.id, draft.content_hash)


def _approve(library: Library, draft_id: str, content_hash: str) -> None:
    outcome: Approved = approve(
        library.stores,
        actor=library.cast["approver"],
        draft_id=draft_id,
        content_hash=content_hash,
        now=library.stores.clock(),
    )
    assert outcome.in_force
