import pytest

from sop_server.domain.knowledge import KnowledgeReport, knowledge, knowledge_share
from sop_server.domain.standing import standing
from tests.domain.library_facts import (
    ASHA,
    BEN,
    MAJOR,
    acknowledgement,
    after,
    library,
    member,
    person,
    revision,
)

NOW = after()
TEAM = ("tier2",)
PEOPLE = [ASHA, BEN, *(person(number) for number in range(1, 5))]
OLD = revision(1, after(days=-200), audience=TEAM)


def known(*revisions: object, **facts: object) -> KnowledgeReport:
    snapshot = library(NOW, revisions=revisions or [OLD], people=PEOPLE, **facts)  # type: ignore[arg-type]
    report = knowledge(standing(snapshot))
    assert knowledge_share(standing(snapshot)) == report.knowledge
    return report


def test_without_sops_there_is_no_knowledge() -> None:
    assert knowledge(standing(library(NOW))).knowledge is None


def test_required_are_the_members_of_the_audience_and_done_who_acknowledged() -> None:
    report = known(
        memberships=[member(1), member(2), member(3), member(4, "other")],
        acknowledgements=[acknowledgement(1, after(-9)), acknowledgement(4, after(-9))],
    )
    item = report.items[0]
    assert (item.required, item.done, item.missing) == (3, 1, (2, 3))
    assert report.acknowledged == pytest.approx(1 / 3)


def test_who_acknowledged_any_revision_from_the_current_major_on_knows_it() -> None:
    history = [OLD, OLD._replace(number=2, significance=MAJOR, effective_from=after(days=-50))]
    minor = history[1]._replace(number=3, significance=revision(2).significance, effective_from=after(days=-20))
    report = known(
        *history,
        minor,
        memberships=[member(1), member(2), member(3)],
        acknowledgements=[
            acknowledgement(1, after(days=-100)),
            acknowledgement(2, after(days=-40), revision=2),
            acknowledgement(2, after(days=-10), revision=3),
            acknowledgement(3, after(days=-10), revision=3),
        ],
    )
    item = report.items[0]
    assert (item.revision, item.major, item.required, item.done, item.missing) == (3, 2, 3, 2, (1,))


def test_a_major_still_in_its_grace_counts_only_once_done() -> None:
    recent = OLD._replace(effective_from=after(days=-6.9))
    members = [member(1), member(2)]
    assert known(recent, memberships=members).items[0].required == 0
    item = known(recent, memberships=members, acknowledgements=[acknowledgement(1, after(-1))]).items[0]
    assert (item.required, item.done) == (1, 1)
    assert known(recent._replace(effective_from=after(days=-7)), memberships=members).items[0].required == 2


def test_a_new_member_still_in_the_grace_counts_only_once_done() -> None:
    members = [member(1), member(2, joined_at=after(days=-3))]
    assert known(memberships=members).items[0].required == 1
    item = known(memberships=members, acknowledgements=[acknowledgement(2, after(-1))]).items[0]
    assert (item.required, item.done) == (2, 1)


def test_who_left_the_team_or_the_house_is_not_required() -> None:
    people = [ASHA, BEN, person(1), person(2, left_at=after(-1)), person(3)]
    members = [member(1), member(2), member(3, left_at=after(-1)), member(1, "tier1")]
    snapshot = library(NOW, revisions=[OLD], people=people, memberships=members)
    assert knowledge(standing(snapshot)).items[0].missing == (1,)


def test_a_member_of_two_teams_is_asked_once_and_belongs_since_the_earlier_joining() -> None:
    both = OLD._replace(audience=("tier1", "tier2"))
    members = [member(1, "tier1", after(days=-100)), member(1, "tier2", after(days=-2))]
    item = known(both, memberships=members).items[0]
    assert (item.required, item.missing, item.starters) == (1, (1,), 0)


class TestStarters:
    def report(
        self, joined_days_ago: float, acknowledged_days_ago: float | None, *, first: float = 200
    ) -> KnowledgeReport:
        facts = []
        if acknowledged_days_ago is not None:
            facts.append(acknowledgement(1, after(days=-acknowledged_days_ago)))
        return known(
            OLD._replace(effective_from=after(days=-first)),
            memberships=[member(1, joined_at=after(days=-joined_days_ago))],
            acknowledgements=facts,
        )

    @pytest.mark.parametrize(
        ("joined", "acknowledged", "share"),
        [
            (60, 53, 1.0),
            (60, 52.9, 0.0),
            (60, None, 0.0),
            (60, 100, 1.0),
            (7, None, 0.0),
            (6.9, None, None),
            (6.9, 1, 1.0),
            (90, None, None),
            (89.9, None, 0.0),
        ],
    )
    def test_a_starter_of_the_last_90_days_has_seven_days(
        self, joined: float, acknowledged: float | None, share: float | None
    ) -> None:
        assert self.report(joined, acknowledged).starters == share

    def test_a_starter_has_seven_days_from_the_first_revision_of_a_newer_sop(self) -> None:
        assert self.report(60, 25, first=30).starters == 1.0
        assert self.report(60, 20, first=30).starters == 0.0
        assert self.report(60, None, first=5).starters is None

    def test_a_starter_is_asked_for_the_major_of_that_time(self) -> None:
        report = known(
            OLD,
            OLD._replace(number=2, significance=MAJOR, effective_from=after(days=-10)),
            memberships=[member(1, joined_at=after(days=-60))],
            acknowledgements=[acknowledgement(1, after(days=-58), revision=1)],
        )
        assert (report.starters, report.acknowledged) == (1.0, 0.0)


def test_a_sop_is_cared_for_by_an_owner_and_a_deputy() -> None:
    report = known(revision(), revision(sop="SOP-0002", deputy=None), revision(sop="SOP-0003", owner=None))
    assert report.cared_for == pytest.approx(1 / 3)


def test_a_part_without_data_drops_out_and_the_rest_is_rescaled() -> None:
    assert known(revision()).knowledge == 1
    only_two = known(
        OLD._replace(deputy=None), memberships=[member(1)], acknowledgements=[acknowledgement(1, after(-1))]
    )
    assert only_two.starters is None
    assert only_two.knowledge == pytest.approx(0.60 / 0.75)


def test_all_three_parts_are_weighed() -> None:
    report = known(
        OLD,
        memberships=[member(1), member(2), member(3, joined_at=after(days=-60)), member(4, joined_at=after(days=-60))],
        acknowledgements=[acknowledgement(3, after(days=-58))],
    )
    assert (report.acknowledged, report.starters, report.cared_for) == (0.25, 0.5, 1.0)
    assert report.knowledge == pytest.approx(0.60 * 0.25 + 0.25 * 0.5 + 0.15)


def test_the_sop_that_most_have_still_to_read_comes_first() -> None:
    report = known(revision(), OLD._replace(sop_id="SOP-0002"), memberships=[member(1)])
    assert [item.sop_id for item in report.items] == ["SOP-0002", "SOP-0001"]
