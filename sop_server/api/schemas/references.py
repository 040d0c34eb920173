"""Tickets as drafts and revisions name them: by id, and as `source:key`."""

from collections.abc import Iterable
from typing import Annotated, Protocol

from pydantic import BeforeValidator, Field

from sop_server.domain import identifiers


class NamedTicket(Protocol):
    """A ticket by its number or its id, and its `source:key`."""

    @property
    def id(self) -> int | str:
        """The number, or the id made of it."""

    @property
    def label(self) -> str:
        """The ticket as `source:key`."""


def _ids(tickets: Iterable[NamedTicket]) -> list[str]:
    return [ticket.id if isinstance(ticket.id, str) else identifiers.ticket_id(ticket.id) for ticket in tickets]


def _labels(tickets: Iterable[NamedTicket]) -> list[str]:
    return [ticket.label for ticket in tickets]


TicketIds = Annotated[list[str], BeforeValidator(_ids)]
TicketLabels = Annotated[list[str], Field(validation_alias="tickets"), BeforeValidator(_labels)]
