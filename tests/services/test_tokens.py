import re
from datetime import UTC, datetime

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Scope
from sop_server.errors import ForbiddenError, InvalidInputError, NotFoundError
from sop_server.services.accounts.people import deactivate_person
from sop_server.services.accounts.tokens import actor_for_token, create_token, list_tokens, revoke_token
from sop_server.services.stores import Stores
from sop_server.storage import credentials
from tests.services.conftest import Cast

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_a_token_acts_as_its_person_with_its_reach(stores: Stores, cast: Cast) -> None:
    token = create_token(stores, actor=OPERATOR, now=NOW, email="ASHA@example.com", scope="read")
    actor = actor_for_token(stores, token=token, now=NOW)

    assert re.fullmatch(r"sop_[A-Za-z0-9_-]{40}", token)
    assert actor is not None
    assert (actor.email, actor.scope) == ("asha@example.com", Scope.READ)
    assert actor.grants == cast.editor.grants
    with stores.database.read() as session:
        assert credentials.token_row(session, token) is None, "the token itself is not stored"


@pytest.mark.parametrize("token", ["", "sop_", "sop_" + "x" * 40, "Bearer", "sop_" + "é" * 40])
def test_an_unknown_token_is_nobody(stores: Stores, token: str) -> None:
    assert actor_for_token(stores, token=token, now=NOW) is None


def test_a_token_ends_with_its_person_or_by_being_revoked(stores: Stores, cast: Cast) -> None:
    first = create_token(stores, actor=OPERATOR, now=NOW, email="asha@example.com")
    second = create_token(stores, actor=OPERATOR, now=NOW, email="asha@example.com")
    newest, oldest = list_tokens(stores, actor=cast.editor, email="asha@example.com")

    revoke_token(stores, actor=cast.editor, now=NOW, token_id=oldest.id)
    assert newest.revoked_at is None
    assert actor_for_token(stores, token=first, now=NOW) is None
    assert actor_for_token(stores, token=second, now=NOW) is not None

    deactivate_person(stores, actor=OPERATOR, now=NOW, email="asha@example.com")
    assert actor_for_token(stores, token=second, now=NOW) is None


def test_tokens_are_an_administrators_to_give(stores: Stores, cast: Cast) -> None:
    token = create_token(stores, actor=cast.admin, now=NOW, email="asha@example.com")
    (listed,) = list_tokens(stores, actor=cast.admin, email="asha@example.com")

    assert actor_for_token(stores, token=token, now=NOW) is not None
    for actor in (cast.reader, cast.editor, cast.approver, cast.manager):
        with pytest.raises(ForbiddenError):
            create_token(stores, actor=actor, now=NOW, email=actor.email)
    with pytest.raises(NotFoundError):
        revoke_token(stores, actor=cast.approver, now=NOW, token_id=listed.id)
    with pytest.raises(ForbiddenError):
        list_tokens(stores, actor=cast.approver, email="asha@example.com")


def test_what_cannot_be_made_says_why(stores: Stores, cast: Cast) -> None:
    with pytest.raises(NotFoundError):
        create_token(stores, actor=OPERATOR, now=NOW, email="who@example.com")
    with pytest.raises(InvalidInputError, match="read"):
        create_token(stores, actor=OPERATOR, now=NOW, email="asha@example.com", scope="all")
    with pytest.raises(NotFoundError):
        revoke_token(stores, actor=OPERATOR, now=NOW, token_id=99)
