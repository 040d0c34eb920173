"""Searching the SOPs in force."""

from sop_server.api.routes import Call, Route
from sop_server.api.schemas.sops import SearchQuery, SearchResult, Sop
from sop_server.domain.permissions import Action
from sop_server.services.library import searching
from sop_server.services.paging import number_after


def search(call: Call) -> SearchResult:
    """Find SOPs in force, now or as of an instant, best first."""
    given = call.query(SearchQuery)
    found = searching.search(
        call.stores,
        actor=call.actor,
        now=call.now,
        query=searching.Query(
            text=given.q,
            department=given.department,
            process=given.process,
            system=given.system,
            tag=given.tag,
            stale=given.stale,
            at=given.at,
            limit=given.limit,
            offset=number_after(given.cursor) or 0,
        ),
    )
    return SearchResult.model_validate(
        {
            "items": [
                {**Sop.model_validate(hit.sop).model_dump(), "snippet": hit.snippet, "score": hit.score}
                for hit in found.items
            ],
            "next": None if found.next_offset is None else str(found.next_offset),
            "total": found.total,
            "facets": {
                name: [{"value": value, "count": count} for value, count in values]
                for name, values in found.facets.items()
            },
            "did_you_mean": found.did_you_mean,
            "relaxed": found.relaxed,
            "degraded": found.degraded,
        }
    )


ROUTES = (Route("GET", "/search", search, SearchResult, action=Action.READ, query=SearchQuery),)
