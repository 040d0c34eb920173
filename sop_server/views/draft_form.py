"""The form of a draft: what was typed, whatever the server says of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sop_server.domain.permissions import Action, Actor
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.drafts.drafting import DraftInput
from sop_server.views import fields

_FIRST_TEXT = """\
---
title: {title}
process:{process}
department:{department}
owner: {owner}
deputy:
audience: []
systems: []
review_every: 180 days
tags: []
links: []
---

## Purpose

What this procedure is for, and when it is used.

## Before you start

- What has to be at hand.

## Steps

1. The first thing to do: the screen, the field, the value.
2. The next one.

## Exceptions

## Escalation

Who is called, how, and within what time.
"""


@dataclass(frozen=True, slots=True)
class Typed:
    """The fields of the form as they stand in it; `content` is None where it has no text."""

    content: str | None
    change_summary: str = ""
    significance: str = ""
    tickets: str = ""
    effective_from: str = ""
    version: str = ""
    base_revision: str = ""

    def given(self, *, now: datetime, had: datetime | None = None) -> DraftInput:
        """Return what the draft is to become; an instant that was there and was taken out means at once."""
        form = {"effective_from": self.effective_from, "base_revision": self.base_revision, "tickets": self.tickets}
        begins = fields.instant(form, "effective_from")
        if begins is None and had is not None and had > now:
            begins = now
        return DraftInput(
            content=self.content,
            change_summary=self.change_summary,
            significance=self.significance,
            tickets=fields.names(form, "tickets"),
            effective_from=begins,
            base_revision=fields.number(form, "base_revision"),
        )


def typed(form: Mapping[str, str]) -> Typed:
    """Return the form as it was sent."""
    return Typed(
        content=form.get("content"),
        change_summary=form.get("change_summary", ""),
        significance=form.get("significance", ""),
        tickets=form.get("tickets", ""),
        effective_from=form.get("effective_from", ""),
        version=form.get("version", ""),
        base_revision=form.get("base_revision", ""),
    )


def of_draft(draft: DraftView, *, now: datetime, merge: str | None = None, onto: int | None = None) -> Typed:
    """Return the form of a draft; `merge` is the text with both sides where another revision collides with it."""
    later = draft.effective_from is not None and draft.effective_from > now
    found = Typed(
        content=None if draft.kind == "retire" else draft.content,
        change_summary=draft.change_summary,
        significance=draft.significance,
        tickets=", ".join(ticket.label for ticket in draft.tickets),
        effective_from=f"{draft.effective_from:%Y-%m-%dT%H:%M}" if later and draft.effective_from else "",
        version=str(draft.version),
    )
    if merge is None or onto is None:
        return found
    return replace(found, content=merge, base_revision=str(onto))


def newest(form: Typed, draft: DraftView) -> Typed:
    """Return what was typed, to be saved over the state of the draft that somebody else saved meanwhile."""
    return replace(form, version=str(draft.version))


def of_new(actor: Actor, *, title: str, department: str, process: str, tickets: str) -> Typed:
    """Return the form of a new SOP, with a text that shows how one is written."""
    reach = actor.reach(Action.DRAFT)
    home = department or (next(iter(reach)) if reach is not None and len(reach) == 1 else "")
    text = _FIRST_TEXT.format(
        title=_one_line(title) or "What is done, to what",
        process=f" {_one_line(process)}" if process else "",
        department=f" {_one_line(home)}" if home else "",
        owner=actor.email,
    )
    return Typed(content=text, change_summary="Written for the first time.", significance="major", tickets=tickets)


def _one_line(text: str) -> str:
    # A title that YAML would read as something else is the writer's to quote; a colon or a sign is the common one.
    line = " ".join(text.split())
    return (
        f'"{line.replace(chr(92), "").replace(chr(34), "")}"'
        if any(sign in line for sign in ":#[]{}&*!|>'\"%@`")
        else line
    )
