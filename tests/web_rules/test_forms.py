"""Forms as browsers and password managers need them, and the way out that every page has."""

import re

from flask import Flask

from sop_server.views import assets
from tests.web_rules.visiting import Visit

_INPUT = re.compile(r"<input[^>]*>")
_SECRET = re.compile(r'name="(?:password|again|current)"')


def test_password_fields_hide_what_is_typed_and_take_what_is_pasted(app: Flask) -> None:
    visit = Visit(app)
    pages = [visit.get("/login").text, visit.get("/sign-in/a-link").text]
    visit.come_in()
    pages += [visit.get(path).text for path in ("/me", "/me/second-factor")]
    fields = [one for page in pages for one in _INPUT.findall(page) if _SECRET.search(one)]
    assert len(fields) >= 6
    for field in fields:
        assert 'type="password"' in field
        assert re.search(r'autocomplete="(?:current|new)-password"', field)
    scripts = "".join(path.read_text("utf-8") for path in assets.FOLDER.glob("*.js"))
    assert '"paste"' not in scripts


def test_every_page_of_a_person_has_a_way_out(app: Flask) -> None:
    visit = Visit(app)
    visit.come_in()
    shown = 0
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and not rule.arguments and not rule.rule.startswith(("/api/", "/login")):
            answer = visit.get(rule.rule)
            if answer.mimetype == "text/html" and answer.status_code < 300:
                shown += 1
                assert "data-sign-out" in answer.text, rule.rule
    assert shown > 10
