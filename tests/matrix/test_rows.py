"""The table has a row for each route and a route for each row, and whoever adds one without the other is told."""

from flask import Flask

from sop_server.app import create_app
from sop_server.domain.permissions import Action
from sop_server.settings import load_settings
from tests.matrix.needs import OPEN, SIGNED, SIGNED_IN, takes
from tests.matrix.seeding import Operation
from tests.matrix.table import faults, rows


def _app(matrix: Operation) -> Flask:
    return create_app(load_settings(home=matrix.stores.home), stores=matrix.stores)


def _nothing() -> str:
    return ""


def test_each_route_stands_in_a_row_and_each_row_has_a_route(matrix: Operation) -> None:
    assert [*faults(_app(matrix), rows())] == []


def test_a_route_that_somebody_adds_without_a_row_is_told(matrix: Operation) -> None:
    app = _app(matrix)
    app.add_url_rule("/new-page", "new.page", _nothing)
    app.add_url_rule("/api/v1/new-call", "api.new_call", _nothing)
    told = [*faults(app, rows())]
    assert len(told) == 2
    assert told[0].startswith("/api/v1/new-call (api.new_call) stands in no row")
    assert told[1].startswith("/new-page (new.page) stands in no row")


def test_a_row_that_has_no_route_any_more_is_told(matrix: Operation) -> None:
    (told,) = faults(_app(matrix), {**rows(), "gone.page": takes(Action.READ)})
    assert told.startswith("gone.page has a row and no route")


def test_a_door_for_machines_is_known_by_its_signature_and_nothing_else_is(matrix: Operation) -> None:
    app = _app(matrix)
    app.add_url_rule("/webhooks/new", "webhooks.new", _nothing, methods=["POST"])
    assert "by its signature" in "".join(faults(app, {**rows(), "webhooks.new": OPEN}))
    assert [*faults(app, {**rows(), "webhooks.new": SIGNED})] == []
    assert "by its signature" in "".join(faults(_app(matrix), {**rows(), "home.index": SIGNED}))


def test_a_call_that_is_not_about_oneself_names_an_action(matrix: Operation) -> None:
    (told,) = faults(_app(matrix), {**rows(), "api.list_sops": SIGNED_IN})
    assert told == "/api/v1/sops (api.list_sops) names no action: only calls about oneself need none."
