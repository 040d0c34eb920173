"""Break-glass and signatures over the API: the shapes, the order of the refusals, and how the reports tell it."""

from sop_server.domain.doers import OPERATOR
from sop_server.services.accounts.departments import set_rules
from sop_server.services.accounts.passwords import set_password
from sop_server.services.reports.findings import scan
from sop_server.services.stores import Stores
from tests.api.operation import As, Clock, Make

WHY = "The payment provider changed its form an hour ago."
PASSWORD = "four quiet green parrots"


def signed(stores: Stores, clock: Clock) -> None:
    set_rules(stores, actor=OPERATOR, now=clock.now, slug="payments", signature=True)
    for name in ("ben", "both"):
        set_password(stores, actor=OPERATOR, now=clock.now, email=f"{name}@example.com", password=PASSWORD)


def test_one_person_publishes_alone_and_a_second_one_confirms(caller: As, draft: Make, clock: Clock) -> None:
    made = draft(submitted=True, by="both")
    path = f"/drafts/{made['id']}/break-glass"

    answer = caller("both").post(path, content_hash=made["content_hash"], reason=WHY)

    assert answer.status_code == 200, answer.text
    done = answer.get_json()
    assert (done["state"], done["revision"], done["in_force"]) == ("published", 1, True)
    assert done["confirm_by"] == "2026-03-03T09:00:00Z"
    sop = f"/sops/{done['sop_id']}"
    told = caller("rita").get(sop).get_json()["break_glass"]
    assert (told["name"], told["reason"], told["state"], told["loud"]) == ("Both", WHY, "waiting", True)
    revision = caller("rita").get(f"{sop}/revisions/1").get_json()
    assert (revision["approvals"], revision["approved_at"]) == ([], None)
    decisions = caller("asha").get(f"/drafts/{made['id']}").get_json()["approvals"]
    assert [one["decision"] for one in decisions] == ["break_glass"]

    assert caller("both").post(f"{sop}/revisions/1/confirm").status_code == 403
    assert caller("rita").post(f"{sop}/revisions/1/confirm").status_code == 403
    assert caller("carl").post(f"{sop}/revisions/1/confirm").status_code == 404
    clock.forward(hours=25)
    confirmed = caller("ben").post(f"{sop}/revisions/1/confirm")
    assert confirmed.status_code == 200, confirmed.text
    assert confirmed.get_json()["break_glass"]["state"] == "confirmed_late"
    assert caller("ben").post(f"{sop}/revisions/1/confirm").status_code == 409


def test_who_may_not_is_told_so_before_anything_about_what_they_sent(caller: As, draft: Make) -> None:
    made = draft(submitted=True)
    path = f"/drafts/{made['id']}/break-glass"

    assert caller("asha").post(path, nonsense=1).status_code == 403
    assert caller("carl").post(path, nonsense=1).status_code == 404
    assert caller("ben").post(path, nonsense=1).status_code == 422
    refused = caller("ben").post(path, content_hash=made["content_hash"], reason="Now!")
    assert (refused.status_code, [*refused.get_json()["errors"]]) == (422, ["reason"])
    refused = caller("ben").post(path, content_hash="0" * 64, reason=WHY)
    assert (refused.status_code, refused.get_json()["content_hash"]) == (409, made["content_hash"])


def test_an_objection_opens_a_draft_in_review(caller: As, draft: Make, publish: Make) -> None:
    sop_id = publish()["sop_id"]
    made = draft("Open SAP at once.", sop_id=sop_id, submitted=True)
    caller("ben").post(f"/drafts/{made['id']}/break-glass", content_hash=made["content_hash"], reason=WHY)

    path = f"/sops/{sop_id}/revisions/2/object"
    assert caller("both").post(path, reason="No.").status_code == 422
    told = caller("both").post(path, reason="The provider changed nothing at all.").get_json()["break_glass"]

    undo = caller("asha").get(f"/drafts/{told['draft_id']}").get_json()
    assert (told["state"], undo["state"], undo["reverts"], undo["author"]) == (
        "objected",
        "in_review",
        2,
        "both@example.com",
    )


def test_a_reader_is_not_told_of_the_draft_that_takes_it_back(caller: As, draft: Make, publish: Make) -> None:
    sop_id = publish()["sop_id"]
    made = draft("Open SAP at once.", sop_id=sop_id, submitted=True)
    caller("ben").post(f"/drafts/{made['id']}/break-glass", content_hash=made["content_hash"], reason=WHY)
    caller("both").post(f"/sops/{sop_id}/revisions/2/object", reason="The provider changed nothing at all.")

    for path in (f"/sops/{sop_id}", f"/sops/{sop_id}/revisions", f"/sops/{sop_id}/revisions/2"):
        told, read = caller("asha").get(path), caller("rita").get(path)
        assert '"draft_id":"DRF-' in told.text
        assert "DRF-" not in read.text
        assert '"state":"objected"' in read.text


def test_a_token_alone_never_signs(caller: As, draft: Make, stores: Stores, clock: Clock) -> None:
    signed(stores, clock)
    made = draft(submitted=True)
    path = f"/drafts/{made['id']}/approve"

    absent = caller("ben").post(path, content_hash=made["content_hash"])
    wrong = caller("ben").post(path, content_hash=made["content_hash"], signature={"password": "wrong"})
    author = caller("asha").post(path, content_hash=made["content_hash"])
    right = caller("ben").post(path, content_hash=made["content_hash"], signature={"password": PASSWORD})

    assert (absent.status_code, [*absent.get_json()["errors"]]) == (422, ["signature"])
    assert "your password" in absent.get_json()["detail"]
    assert (wrong.status_code, author.status_code, right.status_code) == (403, 403, 200)
    revision = caller("rita").get(f"/sops/{made['sop_id']}/revisions/1").get_json()
    signature = revision["approvals"][0]["signature"]
    assert signature == {
        "name": "Ben",
        "signed_with": "password",
        "meaning": "I have read this revision and approve it to come into force.",
        "at": "2026-03-02T09:00:00Z",
        "content_hash": made["content_hash"],
    }


def test_the_schema_says_what_a_signature_is_and_when_it_is_asked_for(caller: As) -> None:
    document = caller("stranger").get("/openapi.json").get_json()

    assert "422" in document["components"]["schemas"]["Sign"]["description"]
    for path in ("/drafts/{draft_id}/approve", "/drafts/{draft_id}/break-glass"):
        assert "signature" in document["paths"][f"/api/v1{path}"]["post"]["responses"]["422"]["description"]


def test_reports_findings_and_first_pages_tell_it_until_it_is_confirmed_and_past_reports_never_change(
    caller: As, draft: Make, stores: Stores, clock: Clock
) -> None:
    made = draft(submitted=True)
    sop_id = made["sop_id"]
    caller("ben").post(f"/drafts/{made['id']}/break-glass", content_hash=made["content_hash"], reason=WHY)
    clock.forward(hours=25)
    overdue_at = "2026-03-03T10:00:00Z"
    before = {name: caller("mia").get(f"/reports/{name}").get_json() for name in ("window", "drift")}

    for shape in before.values():
        glass = shape["break_glass"]
        assert (glass["broken"], glass["overdue"], glass["waiting"]) == (1, 1, 0)
        (item,) = glass["items"]
        assert (item["sop_id"], item["revision"], item["by"], item["state"]) == (sop_id, 1, "Ben", "overdue")
    scan(stores, now=clock.now)
    findings = caller("mia").get("/findings").get_json()["items"]
    assert findings[0]["kind"] == "break_glass"
    # Whoever reads another department's reports alone learns nothing of it.
    assert caller("carl").get("/reports/window").get_json()["break_glass"]["broken"] == 0

    clock.forward(hours=1)
    caller("both").post(f"/sops/{sop_id}/revisions/1/confirm")
    scan(stores, now=clock.now)

    now = caller("mia").get("/reports/window").get_json()["break_glass"]
    assert (now["late"], now["overdue"], now["items"]) == (1, 0, [])
    assert [one["kind"] for one in caller("mia").get("/findings").get_json()["items"]].count("break_glass") == 0
    for name, shape in before.items():
        assert caller("mia").get(f"/reports/{name}", at=overdue_at).get_json()["break_glass"] == shape["break_glass"]
