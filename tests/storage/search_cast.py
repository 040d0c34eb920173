"""The library that every search engine is tried on, and the engines: one that is added to `ENGINES` has to pass."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sop_server.storage.search.protocol import SearchDocument, SearchEngine, SearchRequest, SearchResult
from sop_server.storage.search.whoosh_engine import WhooshEngine

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)


def whoosh(folder: Path) -> SearchEngine:
    return WhooshEngine(folder / "index")


ENGINES: dict[str, Callable[[Path], SearchEngine]] = {"whoosh": whoosh}


def sop(
    sop_id: str,
    title: str,
    body: str = "",
    *,
    revision: int = 1,
    headings: str = "",
    tags: tuple[str, ...] = (),
    systems: tuple[str, ...] = (),
    processes: tuple[str, ...] = (),
    department: str | None = None,
    owner: str | None = None,
    served_from: datetime = LONG_AGO,
    served_until: datetime | None = None,
) -> SearchDocument:
    return SearchDocument(
        sop_id=sop_id,
        revision=revision,
        title=title,
        headings=headings,
        body=body,
        tags=tags,
        systems=systems,
        processes=processes,
        department=department,
        owner=owner,
        served_from=served_from,
        served_until=served_until,
    )


REFUNDS = sop(
    "SOP-0001",
    "Refunding a customer",
    "Open the ticket. Check that the refund request is within 30 days. Send an e-mail to the customer.",
    headings="Before you start\nApprove the refund",
    tags=("money", "urgent"),
    systems=("Zendesk",),
    processes=("PROC-001",),
    department="Customer Care",
    owner="ada@example.org",
)
INVOICES = sop(
    "SOP-0002",
    "Paying supplier invoices",
    "An invoice is paid within 30 days. A refund by the supplier is booked as income. Don't pay twice.",
    tags=("money",),
    systems=("SAP",),
    processes=("PROC-002",),
    department="Finance",
    owner="bob@example.org",
)
LAPTOPS = sop(
    "SOP-0042",
    "Setting up a laptop",
    "Install the C++ compiler and the mail program. Request a new password. See SOP-0001 for returns.",
    systems=("SAP", "Jira"),
    processes=("PROC-002", "PROC-003"),
    department="IT",
)
LIBRARY = (REFUNDS, INVOICES, LAPTOPS)


def find(engine: SearchEngine, text: str, **options: object) -> SearchResult:
    return engine.search(replace(SearchRequest(text, NOW), **options))  # type: ignore[arg-type]


def ids(engine: SearchEngine, text: str, **options: object) -> list[str]:
    return [hit.sop_id for hit in find(engine, text, **options).hits]
